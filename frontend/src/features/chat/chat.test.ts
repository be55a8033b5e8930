import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';
import type { ServerEvent } from '@/api/server-events';
import type { HistoryMessage } from '@/api/types';
import { sampleTask } from '@/mocks/samples';
import { server } from '@/mocks/server';
import { conversationOf } from './conversation';
import { followTurn } from './follow-turn';
import { foldTurnEvents } from './turn-fold';
import { emptyTurn } from './turn-view';

type Details = Record<string, unknown>;

function event(name: string, kind: string, id: number | null, text: string, details: Details = {}) {
  const data = { task_id: 'tsk_1', event_id: id, kind, text, details, is_final: false };
  return { kind: name, data: { ...data, agent: 'CodeAct' } };
}

function final(name: string, id: number, text: string, details: Details = {}): ServerEvent {
  const told = event(name, name === 'error' ? 'error' : 'result', id, text, details);
  return { ...told, data: { ...told.data, is_final: true } };
}

const call = { tool: 'run_python', call: 1 };
const question = { key: 'action-2', kind: 'action', text: 'Allow it?', choices: [], details: {} };
const turn: ServerEvent[] = [
  event('agent_start', 'accepted', null, 'accepted', { queue: { position: 2 } }),
  event('agent_thinking', 'tokens', null, 'I look'),
  event('tool_start', 'tool', 3, '', { ...call, arguments: { code: 'print(6 * 7)' } }),
  event('tool_complete', 'tool', 4, '42', { ...call, ok: true, seconds: 0.2, text: '42' }),
  event('agent_thinking', 'question', 5, 'Allow it?', { status: 'WAITING', question }),
  event('agent_thinking', 'state', 6, 'working', { status: 'RUNNING', phase: 'working' }),
  event('agent_thinking', 'check', 7, 'adds', { name: 'adds', kind: 'cli', passed: true }),
  event('agent_thinking', 'message', 8, 'It is 42.', { text: 'It is 42.', is_answer: true }),
];

test('a turn is folded: cells with results, an open question, then the answer once', () => {
  const begun = foldTurnEvents(emptyTurn, turn.slice(0, 2));
  expect(begun).toMatchObject({ draft: 'I look', queuePosition: 2, taskId: 'tsk_1' });
  expect(foldTurnEvents(emptyTurn, turn.slice(0, 5)).question).toMatchObject({ key: 'action-2' });
  const told = [...turn, ...turn, final('agent_complete', 9, 'It is 42.', { receipt: {} })];
  const ended = foldTurnEvents(emptyTurn, told);
  expect(ended.parts).toEqual([
    {
      kind: 'tool',
      id: 3,
      call: 1,
      tool: 'run_python',
      arguments: { code: 'print(6 * 7)' },
      isOk: true,
      text: '42',
      seconds: 0.2,
    },
  ]);
  expect(ended).toMatchObject({ question: null, draft: '', checks: [{ name: 'adds' }] });
  expect(ended.end).toMatchObject({ isSuccess: true, text: 'It is 42.' });
});

test('a failed turn ends with its code', () => {
  const ended = foldTurnEvents(emptyTurn, [
    final('error', 4, 'Too long.', { error: 'budget_spent' }),
  ]);
  expect(ended.end).toMatchObject({ isSuccess: false, code: 'budget_spent' });
});

function stream(events: readonly ServerEvent[]) {
  const text = events
    .map(({ kind, data }) => `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`)
    .join('');
  return new HttpResponse(text, { headers: { 'content-type': 'text/event-stream' } });
}

test('a broken stream is taken up where it was, and the message is not sent twice', async () => {
  const asked: string[] = [];
  server.use(
    http.post('/api/projects/prj_1/chat', () => {
      asked.push('post');
      return stream(turn.slice(0, 4));
    }),
    http.get('/api/projects/prj_1/chat/tsk_1/stream', ({ request }) => {
      asked.push(new URL(request.url).search);
      return stream([...turn.slice(4), final('agent_complete', 9, 'It is 42.')]);
    }),
  );
  const seen: ServerEvent[] = [];
  const message = { message: 'What is it?', runner: 'codeact' };
  await followTurn(
    { projectId: 'prj_1', taskId: '', message, lastEventId: 0 },
    new AbortController().signal,
    { onEvents: (events) => void seen.push(...events), onConnection: () => undefined },
  );
  expect(asked).toEqual(['post', '?since_event_id=4']);
  expect(foldTurnEvents(emptyTurn, seen).end?.text).toBe('It is 42.');
});

function said(number: number, role: HistoryMessage['role'], taskId: string | null): HistoryMessage {
  return {
    number,
    role,
    content: `${number}`,
    tokens: 1,
    task_id: taskId,
    is_summary: role === 'system',
    covers: null,
    created_at: `2026-01-02T12:00:0${number}Z`,
  };
}

test('turns, messages of a fork and marks stand in their order, each once', () => {
  const run = { status: 'SUCCEEDED' as const, created_at: '2026-01-02T12:00:05Z' };
  const entries = conversationOf(
    [sampleTask({ task_id: 'tsk_9', ...run }), sampleTask({ task_id: 'tsk_never' })],
    [
      said(1, 'user', null),
      said(2, 'assistant', null),
      said(3, 'system', null),
      said(6, 'user', 'tsk_9'),
      said(7, 'assistant', 'tsk_9'),
    ],
  );
  expect(entries.map((entry) => entry.id)).toEqual(['said-1', 'mark-3', 'tsk_9']);
  expect(entries[0]).toMatchObject({ messages: [{ number: 1 }, { number: 2 }] });
});
