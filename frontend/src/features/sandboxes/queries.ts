import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, settle, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import type { NewSandboxKey } from '@/api/types';

const REFRESH_MILLISECONDS = 5000;

export function useSandboxes() {
  return useQuery({
    queryKey: queryKeys.sandboxes,
    queryFn: ({ signal }) => unwrap(api.GET('/api/sandboxes', { signal })),
    refetchInterval: REFRESH_MILLISECONDS,
  });
}

export function useEndSandbox() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (sandboxId: string) =>
      settle(
        api.DELETE('/api/sandboxes/{sandbox_id}', { params: { path: { sandbox_id: sandboxId } } }),
      ),
    // It may have ended by itself meanwhile, which is an error and news as well.
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.sandboxes }),
  });
}

export function useSandboxKeys() {
  return useQuery({
    queryKey: queryKeys.sandboxKeys,
    queryFn: ({ signal }) => unwrap(api.GET('/api/sandbox-keys', { signal })),
  });
}

export function useCreateKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wanted: NewSandboxKey) => unwrap(api.POST('/api/sandbox-keys', { body: wanted })),
    onSuccess: () => client.invalidateQueries({ queryKey: queryKeys.sandboxKeys }),
    // The key's text is shown once and kept nowhere else.
    gcTime: 0,
  });
}

export function useRevokeKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (keyId: string) =>
      settle(api.DELETE('/api/sandbox-keys/{key_id}', { params: { path: { key_id: keyId } } })),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.sandboxKeys }),
  });
}
