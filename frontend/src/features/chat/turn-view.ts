import type { LiveCheck } from '@/components/checks/check-data';
import type { OpenQuestion } from '@/components/decision/question-card';

/** A call of a tool: code and commands are shown as cells, others in one line. */
export interface ToolUse {
  kind: 'tool';
  id: number;
  call: number | null;
  tool: string;
  arguments: Record<string, unknown>;
  /** Null while it runs. */
  isOk: boolean | null;
  text: string;
  seconds: number | null;
}

export type TurnPart =
  | ToolUse
  | { kind: 'message'; id: number; text: string }
  | { kind: 'warning'; id: number; text: string };

export interface TurnEnd {
  isSuccess: boolean;
  text: string;
  /** A stable code; empty for a success. */
  code: string;
  receipt: unknown;
}

/** One turn as its events tell it so far. */
export interface TurnView {
  taskId: string;
  lastEventId: number;
  parts: readonly TurnPart[];
  /** What the model is writing now; gone with the next lasting event. */
  draft: string;
  phase: string;
  queuePosition: number | null;
  question: OpenQuestion | null;
  checks: readonly LiveCheck[];
  files: readonly string[];
  end: TurnEnd | null;
}

export const emptyTurn: TurnView = {
  taskId: '',
  lastEventId: 0,
  parts: [],
  draft: '',
  phase: '',
  queuePosition: null,
  question: null,
  checks: [],
  files: [],
  end: null,
};
