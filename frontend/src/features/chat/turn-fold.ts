import type { ServerEvent } from '@/api/server-events';
import { readCheck } from '@/components/checks/check-data';
import type { OpenQuestion } from '@/components/decision/question-card';
import { isRecord } from '@/lib/json';
import { PayloadReader } from '@/lib/payload';
import type { ToolUse, TurnPart, TurnView } from './turn-view';

const DRAFT_TAIL_CHARACTERS = 8000;

interface Told {
  name: string;
  kind: string;
  id: number;
  text: string;
  details: PayloadReader;
}

type Fold = (view: TurnView, told: Told) => TurnView;

function withPart(view: TurnView, part: TurnPart): TurnView {
  return { ...view, parts: [...view.parts, part] };
}

function asQuestion(value: unknown): OpenQuestion | null {
  if (!isRecord(value)) return null;
  const reader = new PayloadReader(value);
  const kind = reader.text('kind');
  if (kind !== 'plan' && kind !== 'action' && kind !== 'question') return null;
  return {
    key: reader.text('key'),
    kind,
    text: reader.text('text'),
    choices: reader.texts('choices'),
    details: reader.record('details'),
  };
}

function foldTool(view: TurnView, { name, id, text, details }: Told): TurnView {
  const call = details.number('call');
  const use: ToolUse = {
    kind: 'tool',
    id,
    call,
    tool: details.text('tool'),
    arguments: details.record('arguments'),
    isOk: null,
    text: '',
    seconds: null,
  };
  if (name === 'tool_start') return withPart(view, use);
  const done = {
    isOk: (details.flag('ok') ?? details.flag('is_success')) !== false,
    text: details.text('text') || details.text('detail') || text,
    seconds: details.number('seconds'),
  };
  const index = view.parts.findLastIndex(
    (part) =>
      part.kind === 'tool' && part.isOk === null && part.tool === use.tool && part.call === call,
  );
  const begun = view.parts[index];
  if (begun?.kind !== 'tool') return withPart(view, { ...use, ...done });
  return { ...view, parts: view.parts.with(index, { ...begun, ...done }) };
}

function foldLog(view: TurnView, { id, text, details }: Told): TurnView {
  const isLoud = /^(warn|error|critical)/i.test(details.text('level'));
  return isLoud ? withPart(view, { kind: 'warning', id, text }) : view;
}

function foldState(view: TurnView, { details }: Told): TurnView {
  return {
    ...view,
    phase: details.text('phase') || view.phase,
    queuePosition: null,
    question: null,
  };
}

function foldCheck(view: TurnView, { details }: Told): TurnView {
  const check = readCheck(details);
  if (check.candidate !== null) return view;
  const index = view.checks.findIndex((it) => it.name === check.name && it.kind === check.kind);
  const checks = index < 0 ? [...view.checks, check] : view.checks.with(index, check);
  return { ...view, checks };
}

function foldEnd(view: TurnView, told: Told): TurnView {
  return {
    ...view,
    draft: '',
    question: null,
    queuePosition: null,
    end: {
      isSuccess: told.name === 'agent_complete',
      text: told.text,
      code: told.details.text('error'),
      receipt: told.details.record('receipt'),
    },
  };
}

const folds: Record<string, Fold> = {
  accepted: (view, { details }) => ({
    ...view,
    queuePosition: new PayloadReader(details.record('queue')).number('position'),
  }),
  tokens: (view, { text }) => ({
    ...view,
    draft: (view.draft + text).slice(-DRAFT_TAIL_CHARACTERS),
  }),
  message: (view, { id, text, details }) =>
    // The answer itself comes with the end.
    details.flag('is_answer') === true ? view : withPart(view, { kind: 'message', id, text }),
  warning: (view, { id, text }) => withPart(view, { kind: 'warning', id, text }),
  log: foldLog,
  state: foldState,
  question: (view, { details }) => ({
    ...foldState(view, { name: '', kind: '', id: 0, text: '', details }),
    question: asQuestion(details.record('question')),
  }),
  tool: foldTool,
  check: foldCheck,
  file: (view, { details }) => ({
    ...view,
    files: [...new Set([...view.files, details.text('path')])],
  }),
  result: foldEnd,
  error: foldEnd,
};

const draftLives = new Set(['tokens', 'log', 'state', 'accepted', 'preview']);

/** Adds one event of a chat's stream; an event that comes twice changes nothing. */
export function foldTurn(view: TurnView, event: ServerEvent): TurnView {
  const data = new PayloadReader(event.data);
  const id = data.number('event_id');
  const isFinal = data.flag('is_final') === true;
  if (id !== null && id <= view.lastEventId && !isFinal) return view;
  const kind = data.text('kind');
  const told: Told = {
    name: event.kind,
    kind,
    id: id ?? view.lastEventId,
    text: data.text('text'),
    details: new PayloadReader(data.record('details')),
  };
  const fold = Object.hasOwn(folds, kind) ? folds[kind] : undefined;
  const next = fold ? fold(view, told) : view;
  return {
    ...next,
    taskId: data.text('task_id') || view.taskId,
    lastEventId: Math.max(view.lastEventId, id ?? 0),
    draft: draftLives.has(kind) ? next.draft : '',
  };
}

export function foldTurnEvents(view: TurnView, events: readonly ServerEvent[]): TurnView {
  return events.reduce(foldTurn, view);
}
