import type { HistoryMessage, TaskState } from '@/api/types';

export type Entry =
  | { kind: 'turn'; id: string; at: string; task: TaskState }
  | { kind: 'said'; id: string; at: string; messages: readonly HistoryMessage[] }
  | { kind: 'mark'; id: string; at: string; message: HistoryMessage };

function wasRun(task: TaskState): boolean {
  return task.status !== 'PENDING' || task.queue !== null;
}

/** Messages without a known task, those of one task together: copied by a fork, or older. */
function saidEntries(messages: readonly HistoryMessage[], known: ReadonlySet<string>): Entry[] {
  const entries: Entry[] = [];
  for (const message of messages) {
    if (message.role === 'system') {
      entries.push({
        kind: 'mark',
        id: `mark-${message.number}`,
        at: message.created_at,
        message,
      });
      continue;
    }
    if (message.task_id !== null && known.has(message.task_id)) continue;
    const last = entries.at(-1);
    const isSameTurn =
      last?.kind === 'said' &&
      message.role !== 'user' &&
      last.messages[0]?.task_id === message.task_id;
    if (isSameTurn) {
      entries[entries.length - 1] = { ...last, messages: [...last.messages, message] };
    } else {
      entries.push({
        kind: 'said',
        id: `said-${message.number}`,
        at: message.created_at,
        messages: [message],
      });
    }
  }
  return entries;
}

/** The conversation in its order: turns by their tasks, and what is known of others. */
export function conversationOf(
  tasks: readonly TaskState[],
  messages: readonly HistoryMessage[],
): Entry[] {
  const run = tasks.filter(wasRun);
  const turns: Entry[] = run.map((task) => ({
    kind: 'turn',
    id: task.task_id,
    at: task.created_at,
    task,
  }));
  const known = new Set(run.map((task) => task.task_id));
  return [...turns, ...saidEntries(messages, known)].toSorted(
    (one, other) => Date.parse(one.at) - Date.parse(other.at),
  );
}
