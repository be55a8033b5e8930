import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, settle, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import type { ChangeWebhook, CreateWebhook, HookEvent } from '@/api/types';

const LOOK_AGAIN_MILLISECONDS = 3_000;
const PAGE_SIZE = 20;

const forAll = (webhookId: string) => ({ params: { path: { webhook_id: webhookId } } });
const of = (projectId: string, webhookId: string) => ({
  params: { path: { project_id: projectId, webhook_id: webhookId } },
});

/** A project's webhooks, or (null) those of all projects, which are the admins'. */
export function useWebhooks(projectId: string | null) {
  return useQuery({
    queryKey: queryKeys.webhooks(projectId),
    queryFn: ({ signal }) =>
      projectId === null
        ? unwrap(api.GET('/api/webhooks', { signal }))
        : unwrap(
            api.GET('/api/projects/{project_id}/webhooks', {
              params: { path: { project_id: projectId } },
              signal,
            }),
          ),
  });
}

function useWebhookChange<Wanted, Answer>(
  projectId: string | null,
  change: (wanted: Wanted) => Promise<Answer>,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.webhooks(projectId) }),
    // An answer may hold a secret.
    gcTime: 0,
  });
}

export function useAddWebhook(projectId: string | null) {
  return useWebhookChange(projectId, (wanted: CreateWebhook) =>
    projectId === null
      ? unwrap(api.POST('/api/webhooks', { body: wanted }))
      : unwrap(
          api.POST('/api/projects/{project_id}/webhooks', {
            params: { path: { project_id: projectId } },
            body: wanted,
          }),
        ),
  );
}

export function useChangeWebhook(projectId: string | null, webhookId: string) {
  return useWebhookChange(projectId, (changes: ChangeWebhook) =>
    projectId === null
      ? unwrap(api.PATCH('/api/webhooks/{webhook_id}', { ...forAll(webhookId), body: changes }))
      : unwrap(
          api.PATCH('/api/projects/{project_id}/webhooks/{webhook_id}', {
            ...of(projectId, webhookId),
            body: changes,
          }),
        ),
  );
}

export function useRemoveWebhook(projectId: string | null, webhookId: string) {
  return useWebhookChange(projectId, () =>
    projectId === null
      ? settle(api.DELETE('/api/webhooks/{webhook_id}', forAll(webhookId)))
      : settle(
          api.DELETE('/api/projects/{project_id}/webhooks/{webhook_id}', of(projectId, webhookId)),
        ),
  );
}

export function useRenewSecret(projectId: string | null, webhookId: string) {
  return useWebhookChange(projectId, () =>
    projectId === null
      ? unwrap(api.POST('/api/webhooks/{webhook_id}/secret', forAll(webhookId)))
      : unwrap(
          api.POST(
            '/api/projects/{project_id}/webhooks/{webhook_id}/secret',
            of(projectId, webhookId),
          ),
        ),
  );
}

/** Sends a `ping` at once; its answer is how that went. */
export function usePing(projectId: string | null, webhookId: string) {
  return useWebhookChange(projectId, () =>
    projectId === null
      ? unwrap(api.POST('/api/webhooks/{webhook_id}/test', forAll(webhookId)))
      : unwrap(
          api.POST(
            '/api/projects/{project_id}/webhooks/{webhook_id}/test',
            of(projectId, webhookId),
          ),
        ),
  );
}

export function useDeliveries(projectId: string | null, webhookId: string) {
  return useInfiniteQuery({
    queryKey: queryKeys.deliveries(projectId, webhookId),
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: PAGE_SIZE, cursor: pageParam };
      return projectId === null
        ? unwrap(
            api.GET('/api/webhooks/{webhook_id}/deliveries', {
              params: { path: { webhook_id: webhookId }, query },
              signal,
            }),
          )
        : unwrap(
            api.GET('/api/projects/{project_id}/webhooks/{webhook_id}/deliveries', {
              params: { path: { project_id: projectId, webhook_id: webhookId }, query },
              signal,
            }),
          );
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items.some((item) => item.state === 'waiting'))
        ? LOOK_AGAIN_MILLISECONDS
        : false,
  });
}

export function useRedeliver(projectId: string | null, webhookId: string) {
  return useWebhookChange(projectId, (deliveryId: string) =>
    projectId === null
      ? unwrap(
          api.POST('/api/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver', {
            params: { path: { webhook_id: webhookId, delivery_id: deliveryId } },
          }),
        )
      : unwrap(
          api.POST(
            '/api/projects/{project_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver',
            {
              params: {
                path: { project_id: projectId, webhook_id: webhookId, delivery_id: deliveryId },
              },
            },
          ),
        ),
  );
}

export function useNotifications() {
  return useQuery({
    queryKey: queryKeys.notifications,
    queryFn: ({ signal }) => unwrap(api.GET('/api/me/notifications', { signal })),
  });
}

export function useSetNotifications() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (events: HookEvent[]) =>
      unwrap(api.PUT('/api/me/notifications', { body: { mail_events: events } })),
    onSuccess: (settings) => client.setQueryData(queryKeys.notifications, settings),
  });
}
