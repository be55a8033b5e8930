import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, settle, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import { beginSession, endSession } from '@/api/session';
import type { Register, Token } from '@/api/types';

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

export function useSignInOptions() {
  return useQuery({
    queryKey: queryKeys.signInOptions,
    queryFn: ({ signal }) => unwrap(api.GET('/api/auth/options', { signal })),
    staleTime: Infinity,
  });
}

function useNewSession() {
  const client = useQueryClient();
  return (token: Token) => {
    // Another person's data must not show up for a moment.
    client.clear();
    beginSession(token);
  };
}

export function useSignIn() {
  const begin = useNewSession();
  return useMutation({
    mutationFn: ({ username, password }: Credentials) =>
      unwrap(
        api.POST('/api/auth/token', {
          body: { username, password, grant_type: 'password', scope: '' },
          bodySerializer: () => new URLSearchParams({ username, password, grant_type: 'password' }),
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        }),
      ),
    onSuccess: begin,
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

export function useRegister() {
  return useMutation({
    mutationFn: (wanted: Register) => unwrap(api.POST('/api/auth/register', { body: wanted })),
    gcTime: 0,
  });
}

export function useAskRecovery() {
  return useMutation({
    mutationFn: (login: string) => unwrap(api.POST('/api/auth/recovery', { body: { login } })),
  });
}

export function useFinishRecovery() {
  return useMutation({
    mutationFn: (wanted: { secret: string; new_password: string }) =>
      settle(api.POST('/api/auth/recovery/finish', { body: wanted })),
    gcTime: 0,
  });
}

export function useVerifyEmail() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (secret: string) =>
      settle(api.POST('/api/auth/email/verify', { body: { secret } })),
    onSuccess: () => client.invalidateQueries({ queryKey: queryKeys.me }),
  });
}

export function useStartOutside() {
  return useMutation({
    mutationFn: (invitation: string | null) =>
      unwrap(api.POST('/api/auth/oidc/start', { body: { invitation } })),
  });
}

export function useFinishOutside() {
  const begin = useNewSession();
  return useMutation({
    mutationFn: (wanted: { code: string; state: string; binding: string }) =>
      unwrap(api.POST('/api/auth/oidc/finish', { body: wanted })),
    onSuccess: begin,
  });
}
