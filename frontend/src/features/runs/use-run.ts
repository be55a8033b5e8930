import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useReducer, useRef } from 'react';
import { queryKeys } from '@/api/query-keys';
import type { ExecuteProgram } from '@/api/types';
import { followRun } from './follow-run';
import { changeRun, noRun } from './run-state';

/** One run at a time; leaving the page stops it. */
export function useRun() {
  const client = useQueryClient();
  const [state, tell] = useReducer(changeRun, noRun);
  const controller = useRef<AbortController | null>(null);
  useEffect(() => () => controller.current?.abort(), []);

  const start = async (program: ExecuteProgram) => {
    controller.current?.abort();
    const own = new AbortController();
    controller.current = own;
    await followRun(program, own.signal, (change) => {
      if (!own.signal.aborted) tell(change);
    });
    // A language may have become ready by it.
    void client.invalidateQueries({ queryKey: queryKeys.languages });
  };
  const stop = () => {
    controller.current?.abort();
    tell({ kind: 'stopped' });
  };
  return { state, start: (program: ExecuteProgram) => void start(program), stop };
}
