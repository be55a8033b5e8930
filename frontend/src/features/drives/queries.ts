import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, settle, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import type { SetClient, StartConnect } from '@/api/types';

const PAGE_SIZE = 100;

const at = (provider: string) => ({ params: { path: { provider } } });

/** The providers on offer and one's links. */
export function useDrives() {
  return useQuery({
    queryKey: queryKeys.drives,
    queryFn: ({ signal }) => unwrap(api.GET('/api/drives', { signal })),
  });
}

function useDriveChange<Wanted, Answer>(change: (wanted: Wanted) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.drives }),
    // Its input may hold a password.
    gcTime: 0,
  });
}

export function useConnect(provider: string) {
  return useDriveChange((wanted: StartConnect) =>
    unwrap(api.POST('/api/drives/{provider}/connect', { ...at(provider), body: wanted })),
  );
}

/** An empty code asks whether the user is done elsewhere. */
export function useFinishConnect(connectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (code: string) =>
      unwrap(
        api.POST('/api/drives/connects/{connect_id}/finish', {
          params: { path: { connect_id: connectId } },
          body: { code },
        }),
      ),
    onSuccess: ({ link }) =>
      link ? client.invalidateQueries({ queryKey: queryKeys.drives }) : undefined,
    gcTime: 0,
  });
}

export function useUnlink() {
  return useDriveChange((linkId: string) =>
    unwrap(api.DELETE('/api/drives/links/{link_id}', { params: { path: { link_id: linkId } } })),
  );
}

export function useSetClient(provider: string) {
  return useDriveChange((wanted: SetClient) =>
    settle(api.PUT('/api/drives/{provider}/client', { ...at(provider), body: wanted })),
  );
}

export function useRemoveClient(provider: string) {
  return useDriveChange(() => settle(api.DELETE('/api/drives/{provider}/client', at(provider))));
}

/** A folder of a drive (null: the root), or what a search finds. */
export function useItems(linkId: string, folderId: string | null, text: string) {
  return useInfiniteQuery({
    queryKey: queryKeys.driveItems(linkId, folderId ?? '', text),
    queryFn: ({ pageParam, signal }) => {
      const path = { link_id: linkId };
      const page = { cursor: pageParam, limit: PAGE_SIZE };
      return text
        ? unwrap(
            api.GET('/api/drives/links/{link_id}/search', {
              params: { path, query: { text, ...page } },
              signal,
            }),
          )
        : unwrap(
            api.GET('/api/drives/links/{link_id}/items', {
              params: { path, query: { folder_id: folderId, ...page } },
              signal,
            }),
          );
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.cursor,
  });
}
