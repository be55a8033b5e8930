import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api, openStream, unwrap } from '@/api/client';
import { ApiError, toApiError } from '@/api/errors';
import { queryKeys } from '@/api/query-keys';
import { readServerEvents } from '@/api/server-events';
import { PayloadReader } from '@/lib/payload';

export function useModels() {
  return useQuery({
    queryKey: queryKeys.models,
    queryFn: ({ signal }) => unwrap(api.GET('/api/models', { signal })),
    staleTime: 30_000,
  });
}

/** What is known of a model: measured, or as its provider says. */
export function useFit(name: string) {
  return useQuery({
    queryKey: queryKeys.fit(name),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/models/fit', { params: { query: { name } }, signal })),
    staleTime: 30_000,
  });
}

/** Which probe runs, of how many. */
export interface Measuring {
  title: string;
  number: number;
  total: number;
}

/** A model that cannot be measured is answered with what its provider says of it. */
function checkMeasured(report: PayloadReader): void {
  if (new PayloadReader(report.record('fit')).flag('is_assumed') !== true) return;
  throw new ApiError(
    'not_measurable',
    'Its answers would tell nothing: it is used as its provider says. Measure another model.',
  );
}

async function followMeasuring(
  name: string,
  signal: AbortSignal,
  tell: (progress: Measuring) => void,
): Promise<void> {
  const response = await openStream('/api/models/fit', { name, again: true }, signal);
  for await (const events of readServerEvents(response)) {
    for (const { kind, data } of events) {
      const reader = new PayloadReader(data);
      if (kind === 'error') throw new ApiError(reader.text('error'), reader.text('detail'));
      if (kind === 'result') return checkMeasured(reader);
      const [number, total] = [reader.number('number') ?? 0, reader.number('total') ?? 0];
      tell({ title: reader.text('title'), number, total });
    }
  }
  throw new ApiError('measuring_lost', 'The connection ended before the result. Measure again.');
}

/** Measures a model; leaving the page or `stop` stops it. */
export function useMeasuring(name: string) {
  const client = useQueryClient();
  const [progress, setProgress] = useState<Measuring | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const aborter = useRef<AbortController | null>(null);
  useEffect(() => () => aborter.current?.abort(), []);
  const measure = () => {
    const { signal } = (aborter.current = new AbortController());
    setError(null);
    setProgress({ title: 'Loading the model', number: 0, total: 1 });
    followMeasuring(name, signal, setProgress)
      .catch((caught: unknown) => {
        if (!signal.aborted) setError(toApiError(caught));
      })
      .finally(() => {
        setProgress(null);
        void client.invalidateQueries({ queryKey: queryKeys.models });
      });
  };
  return { progress, error, measure, stop: () => aborter.current?.abort() };
}
