import type { ReactNode } from 'react';
import type { StreamMode } from '@/api/event-stream';
import type { TaskState } from '@/api/types';
import { ProgressBar } from '@/components/ui/progress-bar';
import { cn } from '@/lib/cn';
import { formatSeconds } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { agentLabel } from './roles';
import { StatusBadge, statusLooks } from './status';
import { TaskActions } from './task-actions';
import { BudgetFacts, PriorityPicker, QueueNote } from './task-facts';
import { isTerminal } from '@/api/task-status';
import type { TaskView } from './task-view';

interface TaskHeaderProps {
  task: TaskState;
  view: TaskView;
  mode: StreamMode;
  /** Further things to do with the task, from other features. */
  children?: ReactNode;
}

function ElapsedTime({ task }: { task: TaskState }) {
  const isTicking = task.started_at !== null && task.finished_at === null;
  const now = useNow(1000, isTicking);
  if (!task.started_at) return null;
  const end = task.finished_at ? Date.parse(task.finished_at) : now;
  const seconds = Math.max(0, (end - Date.parse(task.started_at)) / 1000);
  return (
    <span className="tabular-nums">
      {isTicking && seconds < 10 ? `${Math.floor(seconds)} s` : formatSeconds(seconds)}
    </span>
  );
}

const modes: Record<StreamMode, { label: string; dot: string }> = {
  live: { label: 'Live', dot: 'bg-good' },
  polling: { label: 'Live, by polling', dot: 'bg-good' },
  connecting: { label: 'Connecting', dot: 'bg-warn' },
  offline: { label: 'No connection; trying again', dot: 'bg-bad' },
};

function Connection({ mode }: { mode: StreamMode }) {
  return (
    <span role="status" className="inline-flex items-center gap-1.5">
      <span aria-hidden className={cn('size-1.75 rounded-full', modes[mode].dot)} />
      {modes[mode].label}
    </span>
  );
}

export function TaskHeader({ task, view, mode, children }: TaskHeaderProps) {
  const isDone = isTerminal(task.status);
  const progress = (isDone ? null : view.progress) ?? task.progress;
  const agent = task.current_agent ? agentLabel(task.current_agent) : '';
  const doing = view.phase || task.phase || task.last_message || agent;
  return (
    <header className="border-b border-line bg-surface px-4 pt-4 pb-3.5 sm:px-6">
      <div className="flex flex-wrap items-start gap-x-6 gap-y-3">
        <h1 className="line-clamp-3 min-w-60 grow basis-0 text-[1.13rem] leading-snug font-semibold tracking-tight break-words">
          {task.prompt}
        </h1>
        <TaskActions task={task}>{children}</TaskActions>
      </div>
      <div className="mt-2.5 flex flex-wrap items-center gap-x-4 gap-y-1.5 text-[0.87rem] text-ink-faint">
        <StatusBadge
          status={task.status}
          kind={task.kind}
          isPaused={task.queue?.state === 'paused'}
        />
        <ElapsedTime task={task} />
        {task.model && <span className="font-mono text-[0.8rem]">{task.model}</span>}
        <BudgetFacts task={task} tokensSpent={view.tokensSpent} />
        {!isDone && <PriorityPicker task={task} />}
        {!isDone && <Connection mode={mode} />}
      </div>
      {!isDone && (
        <div className="mt-3">
          <QueueNote task={task} />
          <ProgressBar value={progress} label="Progress" tone={statusLooks[task.status].tone} />
          <p className="mt-1.5 flex gap-3 text-[0.87rem] text-ink-soft">
            <span aria-live="polite" className="min-w-0 grow truncate">
              {doing.charAt(0).toUpperCase() + doing.slice(1)}
            </span>
            <span className="tabular-nums">{Math.round(progress * 100)} %</span>
          </p>
        </div>
      )}
    </header>
  );
}
