import type { TaskEvent, TaskStatus } from '@/api/types';
import { readCheck, type LiveCheck } from '@/components/checks/check-data';
import { PayloadReader } from '@/lib/payload';
import { foldThinking } from './fold-thinking';
import { isTerminal } from '@/api/task-status';
import { type TaskView, type TimelineEntry, type TimelineSection } from './task-view';
import { readAgents, withEndedItem, withSchedule } from './team-data';

const STATUSES: Record<TaskStatus, true> = {
  PENDING: true,
  RUNNING: true,
  WAITING: true,
  SUCCEEDED: true,
  FAILED: true,
  CANCELLED: true,
};

function isStatus(value: string): value is TaskStatus {
  return Object.hasOwn(STATUSES, value);
}

function timeOf(event: TaskEvent): number {
  return Date.parse(event.timestamp) || 0;
}

/** The section that an event of this role belongs to, or -1. */
function sectionIndexFor(view: TaskView, event: TaskEvent): number {
  const own = view.sections.findLastIndex((it) => it.isOpen && it.role === event.agent_role);
  if (own >= 0) return own;
  const last = view.sections.length - 1;
  const latest = view.sections[last];
  if (!latest) return -1;
  // What the system says while an agent works belongs to that stretch of work.
  const isAside = event.agent_role === 'System' && latest.isOpen;
  return isAside || latest.role === event.agent_role ? last : -1;
}

function withSection(
  view: TaskView,
  index: number,
  change: (section: TimelineSection) => TimelineSection,
): TaskView {
  const section = view.sections[index];
  if (!section) return view;
  return { ...view, sections: view.sections.with(index, change(section)) };
}

function openSection(view: TaskView, event: TaskEvent, title: string, isOpen: boolean): TaskView {
  const section: TimelineSection = {
    id: event.event_id ?? view.lastEventId,
    role: event.agent_role,
    title,
    startedAt: timeOf(event),
    seconds: null,
    isOpen,
    entries: [],
  };
  return { ...view, sections: [...view.sections, section] };
}

function append(view: TaskView, event: TaskEvent, entry: TimelineEntry): TaskView {
  let target = view;
  let index = sectionIndexFor(view, event);
  if (index < 0) {
    target = openSection(view, event, '', false);
    index = target.sections.length - 1;
  }
  return withSection(target, index, (section) => ({
    ...section,
    entries: [...section.entries, entry],
  }));
}

function settleTools(section: TimelineSection): TimelineSection {
  const entries = section.entries.map((entry) =>
    entry.kind === 'tool' && entry.outcome === 'running'
      ? { ...entry, outcome: 'stopped' as const }
      : entry,
  );
  return { ...section, isOpen: false, entries };
}

function completeAgent(view: TaskView, event: TaskEvent): TaskView {
  const index = view.sections.findLastIndex((it) => it.isOpen && it.role === event.agent_role);
  const payload = new PayloadReader(event.payload);
  const seconds = payload.number('seconds');
  const ended = { ...view, schedule: withEndedItem(view.schedule, payload) };
  return withSection(ended, index, (section) => ({
    ...settleTools(section),
    seconds: seconds ?? (timeOf(event) - section.startedAt) / 1000,
  }));
}

/** The team says `is_success`, the chat's agent `ok`. */
function isFailure(payload: PayloadReader): boolean {
  return (payload.flag('is_success') ?? payload.flag('ok')) === false;
}

function completeTool(view: TaskView, event: TaskEvent): TaskView {
  const payload = new PayloadReader(event.payload);
  const tool = payload.text('tool');
  const title = payload.text('title');
  const done = {
    kind: 'tool' as const,
    tool,
    title: title || tool,
    outcome: isFailure(payload) ? ('failed' as const) : ('succeeded' as const),
    detail: payload.text('detail') || payload.text('text'),
    seconds: payload.number('seconds'),
  };
  const index = sectionIndexFor(view, event);
  const running = view.sections[index]?.entries.findLastIndex(
    (it) => it.kind === 'tool' && it.outcome === 'running' && it.tool === tool,
  );
  if (running === undefined || running < 0) {
    return append(view, event, { id: event.event_id ?? 0, ...done });
  }
  return withSection(view, index, (section) => {
    const begun = section.entries[running];
    if (begun?.kind !== 'tool') return section;
    const entry = { id: begun.id, ...done, title: title || begun.title };
    return { ...section, entries: section.entries.with(running, entry) };
  });
}

function planAsked(payload: PayloadReader): Record<string, unknown> | null {
  const question = new PayloadReader(payload.record('question'));
  return question.text('kind') === 'plan' ? question.record('details') : null;
}

function applyState(view: TaskView, event: TaskEvent): TaskView {
  const payload = new PayloadReader(event.payload);
  const status = payload.text('status');
  const next: TaskView = {
    ...view,
    status: isStatus(status) ? status : view.status,
    progress: payload.number('progress') ?? view.progress,
    phase: payload.text('phase') || view.phase,
    agents: payload.has('agents') ? readAgents(payload.record('agents')) : view.agents,
    schedule: payload.has('schedule')
      ? withSchedule(view.schedule, payload.readers('schedule'))
      : view.schedule,
    plan: planAsked(payload) ?? view.plan,
  };
  if (!next.status || !isTerminal(next.status)) return next;
  return { ...next, thinking: null, sections: next.sections.map(settleTools) };
}

function applyCheck(view: TaskView, event: TaskEvent): TaskView {
  const check = readCheck(new PayloadReader(event.payload));
  const entry = { id: event.event_id ?? 0, kind: 'check' as const, check };
  // How one try of several went says nothing about the program that is kept.
  if (check.candidate !== null) return append(view, event, entry);
  const isSame = (other: LiveCheck) => other.name === check.name && other.kind === check.kind;
  const index = view.checks.findIndex(isSame);
  const checks = index < 0 ? [...view.checks, check] : view.checks.with(index, check);
  return append({ ...view, checks }, event, entry);
}

function applyFile(view: TaskView, event: TaskEvent): TaskView {
  const payload = new PayloadReader(event.payload);
  return append({ ...view, revision: view.revision + 1 }, event, {
    id: event.event_id ?? 0,
    kind: 'file',
    path: payload.text('path'),
    size: payload.number('size'),
    isRemoved: payload.text('action') === 'removed',
  });
}

function applyPreview(view: TaskView, event: TaskEvent): TaskView {
  const payload = new PayloadReader(event.payload);
  const isRunning = payload.text('state') !== 'stopped';
  return append({ ...view, isPreviewRunning: isRunning, revision: view.revision + 1 }, event, {
    id: event.event_id ?? 0,
    kind: 'preview',
    title: payload.text('title'),
    isRunning,
  });
}

type Handler = (view: TaskView, event: TaskEvent, payload: PayloadReader) => TaskView;

const handlers: Record<TaskEvent['event_type'], Handler> = {
  STATE: applyState,
  THINKING: foldThinking,
  CHECK: applyCheck,
  FILE: applyFile,
  PREVIEW: applyPreview,
  TOOL_COMPLETE: completeTool,
  AGENT_COMPLETE: completeAgent,
  RESULT: (view) => view,
  AGENT_START: (view, event, payload) => openSection(view, event, payload.text('title'), true),
  TOOL_START: (view, event, payload) =>
    append(view, event, {
      id: event.event_id ?? 0,
      kind: 'tool',
      tool: payload.text('tool'),
      title: payload.text('title') || payload.text('tool'),
      outcome: 'running',
      detail: '',
      seconds: null,
    }),
  MESSAGE: (view, event, payload) =>
    append(view, event, { id: event.event_id ?? 0, kind: 'message', text: payload.text('text') }),
  LOG: (view, event, payload) =>
    append(view, event, {
      id: event.event_id ?? 0,
      kind: 'log',
      text: payload.text('text'),
      level: payload.text('level'),
    }),
  ERROR: (view, event, payload) =>
    append(view, event, {
      id: event.event_id ?? 0,
      kind: 'error',
      code: payload.text('code'),
      detail: payload.text('detail'),
    }),
};

/** The model's draft is over once something lasting follows it. */
function endsThinking(event: TaskEvent): boolean {
  return !['THINKING', 'LOG', 'STATE', 'PREVIEW'].includes(event.event_type);
}

function foldEvent(view: TaskView, event: TaskEvent): TaskView {
  // An event that comes twice (reconnection, poll beside socket) changes nothing.
  if (event.event_id !== null && event.event_id <= view.lastEventId) return view;
  const handler = Object.hasOwn(handlers, event.event_type) ? handlers[event.event_type] : null;
  const payload = new PayloadReader(event.payload);
  const next = handler ? handler(view, event, payload) : view;
  const spent = new PayloadReader(payload.record('spent'));
  const tokens = (spent.number('tokens_in') ?? 0) + (spent.number('tokens_out') ?? 0);
  return {
    ...next,
    tokensSpent: Math.max(view.tokensSpent, tokens),
    lastEventId: event.event_id ?? view.lastEventId,
    thinking: endsThinking(event) ? null : next.thinking,
  };
}

/** Adds events to a view; pure, and indifferent to repeats. */
export function foldEvents(view: TaskView, events: readonly TaskEvent[]): TaskView {
  return events.reduce(foldEvent, view);
}
