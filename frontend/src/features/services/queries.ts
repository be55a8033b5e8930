import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, settle, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import type { RunMode } from '@/api/types';

const REFRESH_MILLISECONDS = 4000;

function atProject(projectId: string) {
  return { params: { path: { project_id: projectId } } };
}

function atService(projectId: string, name: string) {
  return { params: { path: { project_id: projectId, name } } };
}

export function usePlans(projectId: string) {
  return useQuery({
    queryKey: queryKeys.plans(projectId),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/projects/{project_id}/plans', { ...atProject(projectId), signal })),
    // Asking opens the project's sandbox, so it is not done for every glance at the window.
    staleTime: 60_000,
    refetchOnWindowFocus: false,
  });
}

export function useServices(projectId: string) {
  return useQuery({
    queryKey: queryKeys.services(projectId),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/projects/{project_id}/services', { ...atProject(projectId), signal })),
    refetchInterval: REFRESH_MILLISECONDS,
  });
}

/** After every attempt the list is read again: a failed one may have changed it too. */
function useServiceChange<Wanted, Answer>(
  projectId: string,
  change: (wanted: Wanted) => Promise<Answer>,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.services(projectId) }),
  });
}

export function useRunProject(projectId: string) {
  return useServiceChange(projectId, (wanted: { root: string; mode: RunMode }) =>
    unwrap(api.POST('/api/projects/{project_id}/run', { ...atProject(projectId), body: wanted })),
  );
}

export function useStopService(projectId: string) {
  return useServiceChange(projectId, (name: string) =>
    settle(api.DELETE('/api/projects/{project_id}/services/{name}', atService(projectId, name))),
  );
}

export function useRestartService(projectId: string) {
  return useServiceChange(projectId, (name: string) =>
    unwrap(
      api.POST('/api/projects/{project_id}/services/{name}/restart', atService(projectId, name)),
    ),
  );
}

export function useOpenPreview(projectId: string) {
  return useServiceChange(projectId, (service: string) =>
    unwrap(
      api.POST('/api/projects/{project_id}/preview', {
        params: { path: { project_id: projectId }, query: { service } },
      }),
    ),
  );
}

export function useSharePreview(projectId: string) {
  return useServiceChange(projectId, (wanted: { service: string; hours: number }) =>
    unwrap(
      api.POST('/api/projects/{project_id}/preview/share', {
        params: { path: { project_id: projectId }, query: { service: wanted.service } },
        body: { hours: wanted.hours },
      }),
    ),
  );
}

export function useRevokeShares(projectId: string) {
  return useMutation({
    mutationFn: () =>
      settle(api.DELETE('/api/projects/{project_id}/preview/share', atProject(projectId))),
  });
}

export function readLog(projectId: string, name: string, cursor: number, signal: AbortSignal) {
  return unwrap(
    api.GET('/api/projects/{project_id}/services/{name}/logs', {
      params: { path: { project_id: projectId, name }, query: { cursor } },
      signal,
    }),
  );
}
