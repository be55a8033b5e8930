import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, settle, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import type { ChangeUser, CreateInvitation, CreateUser, Registration } from '@/api/types';

const user = (userId: string) => ({ params: { path: { user_id: userId } } });

export function useUsers(search: string) {
  return useInfiniteQuery({
    queryKey: queryKeys.users(search),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/admin/users', { params: { query: { search, offset: pageParam } }, signal }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next_offset,
  });
}

export function useCreateUser() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wanted: CreateUser) => unwrap(api.POST('/api/admin/users', { body: wanted })),
    onSuccess: () => client.invalidateQueries({ queryKey: queryKeys.allUsers }),
  });
}

export function useChangeUser() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ userId, wanted }: { userId: string; wanted: ChangeUser }) =>
      unwrap(api.PATCH('/api/admin/users/{user_id}', { ...user(userId), body: wanted })),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.allUsers }),
  });
}

export function useRecoveryLink() {
  return useMutation({
    mutationFn: (userId: string) =>
      unwrap(api.POST('/api/admin/users/{user_id}/recovery-link', user(userId))),
    // Shown once and kept nowhere else.
    gcTime: 0,
  });
}

export function useEndUserSessions() {
  return useMutation({
    mutationFn: (userId: string) =>
      settle(api.DELETE('/api/admin/users/{user_id}/sessions', user(userId))),
  });
}

export function useRegistration() {
  return useQuery({
    queryKey: queryKeys.registration,
    queryFn: ({ signal }) => unwrap(api.GET('/api/admin/registration', { signal })),
  });
}

export function useSetRegistration() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wanted: Registration) =>
      unwrap(api.PUT('/api/admin/registration', { body: wanted })),
    onSuccess: (now) => client.setQueryData(queryKeys.registration, now),
  });
}

export function useInvitations() {
  return useQuery({
    queryKey: queryKeys.invitations,
    queryFn: ({ signal }) => unwrap(api.GET('/api/admin/invitations', { signal })),
  });
}

export function useInvite() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wanted: CreateInvitation) =>
      unwrap(api.POST('/api/admin/invitations', { body: wanted })),
    onSuccess: () => client.invalidateQueries({ queryKey: queryKeys.invitations }),
    gcTime: 0,
  });
}

export function useWithdrawInvitation() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (invitationId: string) =>
      settle(
        api.DELETE('/api/admin/invitations/{invitation_id}', {
          params: { path: { invitation_id: invitationId } },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.invitations }),
  });
}

export function useAuditLog(event: string) {
  return useInfiniteQuery({
    queryKey: queryKeys.auditLog(event),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/admin/audit', { params: { query: { event, before: pageParam } }, signal }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_before,
  });
}
