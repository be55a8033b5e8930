import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { type ApiError, toApiError } from '@/api/errors';
import { queryKeys } from '@/api/query-keys';
import { uploadFile } from '@/api/uploading';

export interface Sending {
  id: number;
  name: string;
  size: number;
  /** 0 to 1, of what the server has for good. */
  share: number;
  error: ApiError | null;
}

/** Uploads on their way, one after the other. */
export function useUploads(projectId: string) {
  const client = useQueryClient();
  const [sendings, setSendings] = useState<Sending[]>([]);
  const nextId = useRef(1);
  const stops = useRef(new Map<number, AbortController>());
  const line = useRef<Promise<void>>(Promise.resolve());

  const change = (id: number, changes: Partial<Sending>) =>
    setSendings((all) => all.map((it) => (it.id === id ? { ...it, ...changes } : it)));
  const forget = (id: number) => setSendings((all) => all.filter((it) => it.id !== id));

  const send = async (id: number, file: File, stop: AbortController) => {
    if (stop.signal.aborted) return;
    try {
      await uploadFile(projectId, file, (share) => change(id, { share }), stop.signal);
      forget(id);
      await client.invalidateQueries({ queryKey: queryKeys.documents(projectId) });
      await client.invalidateQueries({ queryKey: queryKeys.library(projectId) });
    } catch (error) {
      if (!stop.signal.aborted) change(id, { error: toApiError(error) });
    }
  };

  const add = (files: readonly File[]) => {
    for (const file of files) {
      const id = nextId.current;
      nextId.current += 1;
      const stop = new AbortController();
      stops.current.set(id, stop);
      const fresh = { id, name: file.name, size: file.size, share: 0, error: null };
      setSendings((all) => [...all, fresh]);
      line.current = line.current.then(() => send(id, file, stop));
    }
  };

  const dismiss = (id: number) => {
    stops.current.get(id)?.abort();
    forget(id);
  };

  return { sendings, add, dismiss };
}
