import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, settle, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import { beginSession, endSession } from '@/api/session';

export interface Credentials {
  username: string;
  password: string;
}

export function useMe() {
  return useQuery({
    queryKey: queryKeys.me,
    queryFn: ({ signal }) => unwrap(api.GET('/api/me', { signal })),
    staleTime: Infinity,
  });
}

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ username, password }: Credentials) =>
      unwrap(
        api.POST('/api/auth/token', {
          body: { username, password, grant_type: 'password', scope: '' },
          bodySerializer: () => new URLSearchParams({ username, password, grant_type: 'password' }),
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        }),
      ),
    onSuccess: (token) => {
      // Another person's data must not show up for a moment.
      client.clear();
      beginSession(token);
    },
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => settle(api.POST('/api/auth/logout')),
    // Without an answer the session ends at least here.
    onSettled: () => {
      endSession();
      client.clear();
    },
  });
}
