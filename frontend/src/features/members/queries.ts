import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, settle, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import type { AddMember } from '@/api/types';

const project = (projectId: string) => ({ params: { path: { project_id: projectId } } });
const member = (projectId: string, userId: string) => ({
  params: { path: { project_id: projectId, user_id: userId } },
});

export function useMembers(projectId: string) {
  return useQuery({
    queryKey: queryKeys.members(projectId),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/projects/{project_id}/members', { ...project(projectId), signal })),
  });
}

export function useAddMember(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wanted: AddMember) =>
      unwrap(
        api.POST('/api/projects/{project_id}/members', { ...project(projectId), body: wanted }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: queryKeys.members(projectId) }),
  });
}

export function useChangeMember(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ userId, role }: { userId: string; role: AddMember['role'] }) =>
      unwrap(
        api.PATCH('/api/projects/{project_id}/members/{user_id}', {
          ...member(projectId, userId),
          body: { role },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.members(projectId) }),
  });
}

export function useRemoveMember(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (userId: string) =>
      settle(api.DELETE('/api/projects/{project_id}/members/{user_id}', member(projectId, userId))),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.members(projectId) }),
  });
}

export function useLeaveProject(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => settle(api.POST('/api/projects/{project_id}/leave', project(projectId))),
    onSuccess: () => client.invalidateQueries({ queryKey: queryKeys.projects }),
  });
}
