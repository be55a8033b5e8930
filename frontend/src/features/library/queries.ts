import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, fetchBody, settle, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import type { CreateImport } from '@/api/types';

const LOOK_AGAIN_MILLISECONDS = 1_500;

const project = (projectId: string) => ({ path: { project_id: projectId } });
const file = (projectId: string, fileId: string) => ({
  params: { path: { project_id: projectId, file_id: fileId } },
});

export function useLibrary(projectId: string, query: string, tag: string) {
  return useInfiniteQuery({
    queryKey: queryKeys.libraryPages(projectId, query, tag),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/projects/{project_id}/library', {
          params: { ...project(projectId), query: { query, tag, cursor: pageParam } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}

export function useStorage(projectId: string) {
  return useQuery({
    queryKey: queryKeys.storage(projectId),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/projects/{project_id}/storage', { params: project(projectId), signal })),
  });
}

export function useTagFile(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ fileId, tags }: { fileId: string; tags: string[] }) =>
      unwrap(
        api.PATCH('/api/projects/{project_id}/library/{file_id}', {
          ...file(projectId, fileId),
          body: { tags },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.library(projectId) }),
  });
}

export function useDeleteFile(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (fileId: string) =>
      settle(api.DELETE('/api/projects/{project_id}/library/{file_id}', file(projectId, fileId))),
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: queryKeys.library(projectId) });
      await client.invalidateQueries({ queryKey: queryKeys.storage(projectId) });
      await client.invalidateQueries({ queryKey: queryKeys.documents(projectId) });
    },
  });
}

export function useShareFile(projectId: string) {
  return useMutation({
    mutationFn: (fileId: string) =>
      unwrap(
        api.POST('/api/projects/{project_id}/library/{file_id}/links', {
          ...file(projectId, fileId),
          body: { expires_seconds: 3600 },
        }),
      ),
    gcTime: 0,
  });
}

/** Hands the browser a file to save. */
export function useDownload() {
  return useMutation({
    mutationFn: async ({ path, name }: { path: string; name: string }) => {
      const url = URL.createObjectURL(await (await fetchBody(path)).blob());
      const link = document.createElement('a');
      link.href = url;
      link.download = name;
      link.click();
      URL.revokeObjectURL(url);
    },
  });
}

export function useImports(projectId: string) {
  return useQuery({
    queryKey: queryKeys.imports(projectId),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/projects/{project_id}/imports', { params: project(projectId), signal })),
    refetchInterval: ({ state }) =>
      state.data?.items.some((item) => item.state === 'running') ? LOOK_AGAIN_MILLISECONDS : false,
  });
}

export function useStartImport(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wanted: CreateImport) =>
      unwrap(
        api.POST('/api/projects/{project_id}/imports', {
          params: project(projectId),
          body: wanted,
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.imports(projectId) }),
    gcTime: 0,
  });
}
