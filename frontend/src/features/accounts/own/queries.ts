import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, settle, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import { endSession } from '@/api/session';

export function useSessions() {
  return useQuery({
    queryKey: queryKeys.sessions,
    queryFn: ({ signal }) => unwrap(api.GET('/api/me/sessions', { signal })),
  });
}

export function useEndSession() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (sessionId: string) =>
      settle(
        api.DELETE('/api/me/sessions/{session_id}', {
          params: { path: { session_id: sessionId } },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.sessions }),
  });
}

/** `keepCurrent` signs out everywhere else only. */
export function useSignOutEverywhere() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (keepCurrent: boolean) =>
      settle(api.DELETE('/api/me/sessions', { params: { query: { keep_current: keepCurrent } } })),
    onSuccess: (_, keepCurrent) => {
      if (keepCurrent) return client.invalidateQueries({ queryKey: queryKeys.sessions });
      endSession('You were signed out everywhere.');
      client.clear();
      return undefined;
    },
  });
}

export function useChangeEmail() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (email: string | null) => unwrap(api.PATCH('/api/me', { body: { email } })),
    onSuccess: (account) => client.setQueryData(queryKeys.me, account),
  });
}

export function useAskVerification() {
  return useMutation({ mutationFn: () => unwrap(api.POST('/api/me/email-verification')) });
}

export function useChangePassword() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wanted: { old_password: string; new_password: string }) =>
      settle(api.POST('/api/me/password', { body: wanted })),
    onSuccess: () => client.invalidateQueries({ queryKey: queryKeys.sessions }),
    gcTime: 0,
  });
}

export function useOwnEvents() {
  return useInfiniteQuery({
    queryKey: queryKeys.ownEvents,
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/me/audit', { params: { query: { before: pageParam, limit: 20 } }, signal }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_before,
  });
}
