import { Link } from 'react-router';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { TaskState } from '@/api/types';
import { InlineSelect } from '@/components/ui/field';
import { formatNumber, formatSeconds } from '@/lib/format';
import { NORMAL_PRIORITY, usePrioritiseTask } from './queries';

/** What the task has used, and what it may use. */
export function BudgetFacts({ task, tokensSpent }: { task: TaskState; tokensSpent: number }) {
  const tokens = Math.max(task.tokens_in + task.tokens_out, tokensSpent);
  const facts: string[] = [];
  if (tokens > 0 || task.budget_tokens !== null) {
    const limit = task.budget_tokens === null ? '' : ` of ${formatNumber(task.budget_tokens)}`;
    facts.push(`${formatNumber(tokens)}${limit} tokens`);
  }
  if (task.cost_usd > 0 || task.budget_cost_usd !== null) {
    const limit = task.budget_cost_usd === null ? '' : ` of $${task.budget_cost_usd}`;
    facts.push(`$${task.cost_usd.toFixed(task.cost_usd < 1 ? 4 : 2)}${limit}`);
  }
  facts.push(`at most ${formatSeconds(task.budget_seconds)}`);
  return (
    <span data-testid="budget" className="tabular-nums">
      {facts.join(' · ')}
    </span>
  );
}

const ranks = [
  { priority: 0, label: 'First of mine' },
  { priority: NORMAL_PRIORITY, label: 'Normal' },
  { priority: 1000, label: 'Last of mine' },
];

export function PriorityPicker({ task }: { task: TaskState }) {
  const prioritise = usePrioritiseTask();
  const isKnown = ranks.some((rank) => rank.priority === task.priority);
  return (
    <InlineSelect
      id="priority"
      label="Priority"
      value={task.priority}
      disabled={prioritise.isPending}
      onChange={(event) =>
        prioritise.mutate(
          { taskId: task.task_id, priority: Number(event.target.value) },
          {
            onError: (error) =>
              void toast.error('The priority stays', { description: toApiError(error).detail }),
          },
        )
      }
    >
      {!isKnown && <option value={task.priority}>{task.priority}</option>}
      {ranks.map((rank) => (
        <option key={rank.priority} value={rank.priority}>
          {rank.label}
        </option>
      ))}
    </InlineSelect>
  );
}

/** Why nothing happens yet, if so. */
export function QueueNote({ task }: { task: TaskState }) {
  const { queue } = task;
  if (queue?.state === 'paused') {
    return (
      <p role="status" className="mb-2 text-[0.93rem]">
        Paused. It holds no place of a running task; resume it and it goes on where it was.
      </p>
    );
  }
  if (task.is_pause_requested) {
    return (
      <p role="status" className="mb-2 text-[0.93rem]">
        Pausing: the step in flight is the last.
      </p>
    );
  }
  if (queue?.state !== 'queued') return null;
  return (
    <p role="status" data-testid="queue-place" className="mb-2 text-[0.93rem]">
      In the queue{queue.position !== null && `, number ${queue.position}`}.
      {queue.waits_for_task && (
        <>
          {' '}
          Its project is busy with{' '}
          <Link className="text-accent underline" to={`/tasks/${queue.waits_for_task}`}>
            another task
          </Link>
          .
        </>
      )}
    </p>
  );
}
