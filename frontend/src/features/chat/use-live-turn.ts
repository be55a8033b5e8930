import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { toApiError, type ApiError } from '@/api/errors';
import type { ServerEvent } from '@/api/server-events';
import type { SendMessage } from '@/api/types';
import { followTurn, type Following } from './follow-turn';
import { refreshProject } from './queries';
import { foldTurnEvents } from './turn-fold';
import { emptyTurn, type TurnView } from './turn-view';

const FLUSH_MILLISECONDS = 50;

export interface LiveTurn {
  /** What the user asked; empty until the task is known, for a turn that was found running. */
  prompt: string;
  view: TurnView;
  isConnected: boolean;
}

export interface LiveTurns {
  live: LiveTurn | null;
  error: ApiError | null;
  send: (message: SendMessage) => void;
  follow: (taskId: string, prompt: string) => void;
}

type SetLive = (change: (turn: LiveTurn | null) => LiveTurn | null) => void;

/** Follows and tells; events are gathered for a moment. Throws ApiError. */
async function tell(following: Following, signal: AbortSignal, setLive: SetLive): Promise<void> {
  let waiting: ServerEvent[] = [];
  const change = (changed: (turn: LiveTurn) => LiveTurn) => {
    if (!signal.aborted) setLive((turn) => turn && changed(turn));
  };
  const flush = () => {
    const events = waiting;
    waiting = [];
    if (events.length === 0) return;
    change((turn) => ({ ...turn, view: foldTurnEvents(turn.view, events) }));
  };
  const timer = setInterval(flush, FLUSH_MILLISECONDS);
  try {
    await followTurn(following, signal, {
      onEvents: (events) => void waiting.push(...events),
      onConnection: (isConnected) => change((turn) => ({ ...turn, isConnected })),
    });
  } finally {
    clearInterval(timer);
    flush();
  }
}

/** The turn that runs now. Leaving the page stops only the following. */
export function useLiveTurn(projectId: string): LiveTurns {
  const client = useQueryClient();
  const [live, setLive] = useState<LiveTurn | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const aborter = useRef<AbortController | null>(null);
  useEffect(() => () => aborter.current?.abort(), []);

  const start = (prompt: string, taskId: string, message: SendMessage | null) => {
    aborter.current?.abort();
    const { signal } = (aborter.current = new AbortController());
    setError(null);
    setLive({ prompt, view: { ...emptyTurn, taskId }, isConnected: true });
    tell({ projectId, taskId, message, lastEventId: 0 }, signal, setLive)
      .catch((caught: unknown) => {
        if (signal.aborted) return;
        setError(toApiError(caught));
        setLive(null);
      })
      .finally(() => {
        if (!signal.aborted) refreshProject(client, projectId);
      });
  };
  return {
    live,
    error,
    send: (message) => start(message.message, '', message),
    follow: (taskId, prompt) => start(prompt, taskId, null),
  };
}
