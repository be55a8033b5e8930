import type { TaskStatus } from './types';

const TERMINAL: ReadonlySet<TaskStatus> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);

export function isTerminal(status: TaskStatus): boolean {
  return TERMINAL.has(status);
}
