import {
  keepPreviousData,
  type QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, openStream, settle, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import { readServerEvents } from '@/api/server-events';
import { pause } from '@/lib/pause';

const AGAIN_MILLISECONDS = 3_000;

const project = (projectId: string) => ({ path: { project_id: projectId } });
const one = (projectId: string, documentId: string) => ({
  path: { project_id: projectId, document_id: documentId },
});

export function useDocuments(projectId: string) {
  return useInfiniteQuery({
    queryKey: queryKeys.documentList(projectId),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/projects/{project_id}/documents', {
          params: { ...project(projectId), query: { cursor: pageParam } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}

/** Looks again at each change until `signal` ends it; a lost stream is opened anew. */
async function followChanges(
  client: QueryClient,
  projectId: string,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const path = `/api/projects/${projectId}/documents/events?follow=true`;
      const stream = await openStream(path, null, signal);
      for await (const events of readServerEvents(stream)) {
        if (events.length === 0) continue;
        void client.invalidateQueries({ queryKey: queryKeys.documents(projectId) });
        void client.invalidateQueries({ queryKey: queryKeys.library(projectId) });
      }
    } catch {
      // The list itself tells what is wrong; the stream only comes back.
    }
    if (!signal.aborted) await pause(AGAIN_MILLISECONDS, signal);
  }
}

/** Keeps everything about a project's documents up to date while the page is open. */
export function useFollowDocuments(projectId: string): void {
  const client = useQueryClient();
  useEffect(() => {
    const stop = new AbortController();
    void followChanges(client, projectId, stop.signal);
    return () => stop.abort();
  }, [client, projectId]);
}

export function useDocument(projectId: string, documentId: string) {
  return useQuery({
    queryKey: queryKeys.document(projectId, documentId),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/projects/{project_id}/documents/{document_id}', {
          params: one(projectId, documentId),
          signal,
        }),
      ),
  });
}

export function useDeleteDocument(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (documentId: string) =>
      settle(
        api.DELETE('/api/projects/{project_id}/documents/{document_id}', {
          params: one(projectId, documentId),
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.documents(projectId) }),
  });
}

export function useParseAgain(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (documentId: string) =>
      unwrap(
        api.POST('/api/projects/{project_id}/documents/{document_id}/parse', {
          params: one(projectId, documentId),
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.documents(projectId) }),
  });
}

export function useRows(projectId: string, documentId: string, table: string) {
  return useInfiniteQuery({
    queryKey: queryKeys.documentRows(projectId, documentId, table),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/projects/{project_id}/documents/{document_id}/rows', {
          params: { ...one(projectId, documentId), query: { table, offset: pageParam } },
          signal,
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next_offset,
  });
}

export function useSections(projectId: string, documentId: string, anchor: string) {
  return useInfiniteQuery({
    queryKey: queryKeys.documentSections(projectId, documentId, anchor),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/projects/{project_id}/documents/{document_id}/sections', {
          params: {
            ...one(projectId, documentId),
            query: pageParam ? { cursor: pageParam } : { anchor: anchor || null },
          },
          signal,
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next_cursor,
  });
}

export function useSearch(projectId: string, query: string) {
  return useQuery({
    queryKey: queryKeys.documentSearch(projectId, query),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/projects/{project_id}/documents/search', {
          params: { ...project(projectId), query: { q: query } },
          signal,
        }),
      ),
    enabled: query !== '',
    placeholderData: keepPreviousData,
  });
}

export function useAsk(projectId: string) {
  return useMutation({
    mutationFn: (wanted: { question: string; documentId: string | null; model: string | null }) =>
      unwrap(
        api.POST('/api/projects/{project_id}/documents/ask', {
          params: project(projectId),
          body: {
            question: wanted.question,
            document_id: wanted.documentId,
            model: wanted.model,
          },
        }),
      ),
  });
}
