import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, settle, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import type { DriveJob, StartSync } from '@/api/types';
import { isEnded } from './drive-data';

const LOOK_AGAIN_MILLISECONDS = 1_500;
const SHOWN_JOBS = 10;
const SHOWN_FILES = 100;

const project = (projectId: string) => ({ path: { project_id: projectId } });
const job = (projectId: string, jobId: string) => ({
  params: { path: { project_id: projectId, job_id: jobId } },
});
const sync = (projectId: string, syncId: string) => ({
  params: { path: { project_id: projectId, sync_id: syncId } },
});

function pause(jobs: readonly (DriveJob | null)[]): number | false {
  return jobs.some((it) => it !== null && !isEnded(it)) ? LOOK_AGAIN_MILLISECONDS : false;
}

/** What came in and went out, newest first. */
export function useJobs(projectId: string) {
  return useQuery({
    queryKey: queryKeys.driveJobs(projectId),
    queryFn: async ({ signal }) => {
      const wanted = { params: { ...project(projectId), query: { limit: SHOWN_JOBS } }, signal };
      const [imports, exports] = await Promise.all([
        unwrap(api.GET('/api/projects/{project_id}/drive-imports', wanted)),
        unwrap(api.GET('/api/projects/{project_id}/drive-exports', wanted)),
      ]);
      return [...imports.items, ...exports.items]
        .toSorted((left, right) => right.created_at.localeCompare(left.created_at))
        .slice(0, SHOWN_JOBS);
    },
    refetchInterval: ({ state }) => pause(state.data ?? []),
  });
}

export function useSyncs(projectId: string) {
  return useQuery({
    queryKey: queryKeys.driveSyncs(projectId),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/projects/{project_id}/drive-syncs', { params: project(projectId), signal }),
      ),
    refetchInterval: ({ state }) => pause(state.data?.items.map((item) => item.job) ?? []),
  });
}

/** What has arrived shows up in the library and among the documents. */
export function useFollowArrivals(projectId: string) {
  const client = useQueryClient();
  const jobs = useJobs(projectId).data ?? [];
  const syncs = useSyncs(projectId).data?.items ?? [];
  const runs = syncs.map((item) => item.job);
  let arrived = 0;
  for (const it of [...jobs, ...runs]) if (it) arrived += it.items_done;
  useEffect(() => {
    if (arrived === 0) return;
    void client.invalidateQueries({ queryKey: queryKeys.library(projectId) });
    void client.invalidateQueries({ queryKey: queryKeys.storage(projectId) });
    void client.invalidateQueries({ queryKey: queryKeys.documents(projectId) });
  }, [arrived, client, projectId]);
}

function useTransfer<Wanted, Answer>(
  projectId: string,
  change: (wanted: Wanted) => Promise<Answer>,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: queryKeys.driveJobs(projectId) });
      await client.invalidateQueries({ queryKey: queryKeys.driveSyncs(projectId) });
    },
  });
}

export function useImportItems(projectId: string, linkId: string) {
  return useTransfer(projectId, (itemIds: string[]) =>
    unwrap(
      api.POST('/api/projects/{project_id}/drive-imports', {
        params: project(projectId),
        body: { link_id: linkId, item_ids: itemIds },
      }),
    ),
  );
}

export function useExportFile(projectId: string, linkId: string) {
  return useTransfer(
    projectId,
    ({ fileId, folderId }: { fileId: string; folderId: string | null }) =>
      unwrap(
        api.POST('/api/projects/{project_id}/drive-exports', {
          params: project(projectId),
          body: { link_id: linkId, file_ids: [fileId], folder_id: folderId },
        }),
      ),
  );
}

export function useCancelJob(projectId: string) {
  return useTransfer(projectId, ({ job_id: jobId, kind }: DriveJob) =>
    kind === 'export'
      ? unwrap(
          api.POST(
            '/api/projects/{project_id}/drive-exports/{job_id}/cancel',
            job(projectId, jobId),
          ),
        )
      : unwrap(
          api.POST(
            '/api/projects/{project_id}/drive-imports/{job_id}/cancel',
            job(projectId, jobId),
          ),
        ),
  );
}

export function useFollowFolder(projectId: string) {
  return useTransfer(projectId, (wanted: StartSync) =>
    unwrap(
      api.POST('/api/projects/{project_id}/drive-syncs', {
        params: project(projectId),
        body: wanted,
      }),
    ),
  );
}

export function useRunSync(projectId: string, syncId: string) {
  return useTransfer(projectId, () =>
    unwrap(
      api.POST('/api/projects/{project_id}/drive-syncs/{sync_id}/run', sync(projectId, syncId)),
    ),
  );
}

export function useCancelSync(projectId: string, syncId: string) {
  return useTransfer(projectId, () =>
    settle(
      api.POST('/api/projects/{project_id}/drive-syncs/{sync_id}/cancel', sync(projectId, syncId)),
    ),
  );
}

export function useRemoveSync(projectId: string, syncId: string) {
  return useTransfer(projectId, () =>
    settle(api.DELETE('/api/projects/{project_id}/drive-syncs/{sync_id}', sync(projectId, syncId))),
  );
}

/** Files of the library that can be put onto a drive, by part of their names. */
export function useStoredFiles(projectId: string, name: string) {
  return useQuery({
    queryKey: queryKeys.storedFiles(projectId, name),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/projects/{project_id}/library', {
          params: { ...project(projectId), query: { query: name, limit: SHOWN_FILES } },
          signal,
        }),
      ),
    select: (page) => page.items.filter((item) => item.file_id !== null),
  });
}
