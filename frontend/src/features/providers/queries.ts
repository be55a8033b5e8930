import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, settle, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import type { ChangeProvider, CreateProvider } from '@/api/types';

const own = (providerId: string) => ({ params: { path: { provider_id: providerId } } });
const of = (projectId: string, providerId: string) => ({
  params: { path: { project_id: projectId, provider_id: providerId } },
});

/** A project's providers, or (null) one's own and the installation's. */
export function useProviders(projectId: string | null) {
  return useQuery({
    queryKey: queryKeys.providers(projectId),
    queryFn: ({ signal }) =>
      projectId === null
        ? unwrap(api.GET('/api/providers', { signal }))
        : unwrap(
            api.GET('/api/projects/{project_id}/providers', {
              params: { path: { project_id: projectId } },
              signal,
            }),
          ),
  });
}

/** Whoever adds or changes a provider sees other models at once. */
function useProviderChange<Wanted, Answer>(
  projectId: string | null,
  change: (wanted: Wanted) => Promise<Answer>,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: queryKeys.providers(projectId) });
      await client.invalidateQueries({ queryKey: queryKeys.models });
    },
    // Its input may hold a key.
    gcTime: 0,
  });
}

export function useAddProvider(projectId: string | null) {
  return useProviderChange(
    projectId,
    ({ wanted, isForAll }: { wanted: CreateProvider; isForAll: boolean }) =>
      projectId === null
        ? unwrap(api.POST('/api/providers', { body: { ...wanted, is_for_all: isForAll } }))
        : unwrap(
            api.POST('/api/projects/{project_id}/providers', {
              params: { path: { project_id: projectId } },
              body: wanted,
            }),
          ),
  );
}

export function useChangeProvider(projectId: string | null, providerId: string) {
  return useProviderChange(projectId, (changes: ChangeProvider) =>
    projectId === null
      ? unwrap(api.PATCH('/api/providers/{provider_id}', { ...own(providerId), body: changes }))
      : unwrap(
          api.PATCH('/api/projects/{project_id}/providers/{provider_id}', {
            ...of(projectId, providerId),
            body: changes,
          }),
        ),
  );
}

/** `isForced`: even if tasks are to run on it. */
export function useRemoveProvider(projectId: string | null, providerId: string) {
  return useProviderChange(projectId, (isForced: boolean) =>
    projectId === null
      ? settle(
          api.DELETE('/api/providers/{provider_id}', {
            params: { path: { provider_id: providerId }, query: { force: isForced } },
          }),
        )
      : settle(
          api.DELETE('/api/projects/{project_id}/providers/{provider_id}', {
            params: {
              path: { project_id: projectId, provider_id: providerId },
              query: { force: isForced },
            },
          }),
        ),
  );
}

/** Asks the provider for its models and one of them for a few words: up to half a minute. */
export function useTestProvider(projectId: string | null, providerId: string) {
  return useProviderChange(projectId, () =>
    projectId === null
      ? unwrap(
          api.POST('/api/providers/{provider_id}/test', {
            ...own(providerId),
            body: { model: null },
          }),
        )
      : unwrap(
          api.POST('/api/projects/{project_id}/providers/{provider_id}/test', {
            ...of(projectId, providerId),
            body: { model: null },
          }),
        ),
  );
}
