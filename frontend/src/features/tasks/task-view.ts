import type { TaskEvent, TaskStatus } from '@/api/types';
import type { LiveCheck } from '@/components/checks/check-data';
import type { AgentFacts, ScheduleItem } from './team-data';

export type AgentRole = TaskEvent['agent_role'];

export type TimelineEntry = { id: number } & (
  | { kind: 'message'; text: string }
  | { kind: 'log'; text: string; level: string }
  | { kind: 'error'; code: string; detail: string }
  | {
      kind: 'tool';
      tool: string;
      title: string;
      outcome: 'running' | 'succeeded' | 'failed' | 'stopped';
      detail: string;
      seconds: number | null;
    }
  | { kind: 'check'; check: LiveCheck }
  | { kind: 'file'; path: string; size: number | null; isRemoved: boolean }
  | { kind: 'preview'; title: string; isRunning: boolean }
);

/** One stretch of work by one agent. */
export interface TimelineSection {
  id: number;
  role: AgentRole;
  title: string;
  /** Milliseconds since 1970. */
  startedAt: number;
  seconds: number | null;
  isOpen: boolean;
  entries: readonly TimelineEntry[];
}

/** What the model is writing right now; never stored, gone with the next event. */
export interface Thinking {
  role: AgentRole;
  file: string;
  text: string;
  tokens: number;
  tokensPerSecond: number | null;
}

export interface TaskView {
  lastEventId: number;
  status: TaskStatus | null;
  progress: number | null;
  phase: string;
  sections: readonly TimelineSection[];
  checks: readonly LiveCheck[];
  agents: readonly AgentFacts[];
  schedule: readonly ScheduleItem[];
  /** What the plan's question showed, to be read after it was answered. */
  plan: Record<string, unknown> | null;
  /** Tokens in and out as the newest event counts them. */
  tokensSpent: number;
  thinking: Thinking | null;
  isPreviewRunning: boolean;
  /** Counts changed files and restarts, so that readers know when to look again. */
  revision: number;
}

export const emptyTaskView: TaskView = {
  lastEventId: 0,
  status: null,
  progress: null,
  phase: '',
  sections: [],
  checks: [],
  agents: [],
  schedule: [],
  plan: null,
  tokensSpent: 0,
  thinking: null,
  isPreviewRunning: false,
  revision: 0,
};
