import { Download, Play, Square } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { StreamMode } from '@/api/event-stream';
import type { TaskState } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { ProgressBar } from '@/components/ui/progress-bar';
import { cn } from '@/lib/cn';
import { formatSeconds } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { downloadExport } from './export';
import { useCancelTask, useRunTask } from './queries';
import { agentLabel } from './roles';
import { StatusBadge, statusLooks } from './status';
import { isTerminal, type TaskView } from './task-view';

interface TaskHeaderProps {
  task: TaskState;
  view: TaskView;
  mode: StreamMode;
}

function showProblem(title: string, error: unknown): void {
  toast.error(title, { description: toApiError(error).detail, duration: 12_000 });
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

function Actions({ task }: { task: TaskState }) {
  const cancel = useCancelTask();
  const run = useRunTask();
  const [isExporting, setIsExporting] = useState(false);
  const isDone = isTerminal(task.status);
  const download = () => {
    setIsExporting(true);
    downloadExport(task.task_id)
      .catch((error: unknown) => showProblem('The download failed', error))
      .finally(() => setIsExporting(false));
  };
  return (
    <div className="flex shrink-0 gap-2">
      {task.status === 'PENDING' && (
        <Button
          tone="primary"
          size="small"
          isBusy={run.isPending}
          onClick={() =>
            run.mutate(task.task_id, {
              onError: (error) => showProblem('The build did not start', error),
            })
          }
        >
          <Play aria-hidden /> Start
        </Button>
      )}
      {!isDone && (
        <ConfirmDialog
          title="Cancel this build?"
          confirmLabel="Cancel build"
          dismissLabel="Keep building"
          onConfirm={() =>
            cancel.mutate(task.task_id, {
              onError: (error) => showProblem('The build was not cancelled', error),
            })
          }
          trigger={
            <Button tone="danger" size="small" isBusy={cancel.isPending || cancel.isSuccess}>
              {cancel.isSuccess ? (
                'Cancelling'
              ) : (
                <>
                  <Square aria-hidden /> Cancel
                </>
              )}
            </Button>
          }
        >
          Files that were accepted so far are kept, and the receipt says what was left out.
        </ConfirmDialog>
      )}
      {isDone && (
        <Button size="small" isBusy={isExporting} onClick={download}>
          <Download aria-hidden /> Download zip
        </Button>
      )}
    </div>
  );
}

export function TaskHeader({ task, view, mode }: TaskHeaderProps) {
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
        <Actions task={task} />
      </div>
      <div className="mt-2.5 flex flex-wrap items-center gap-x-4 gap-y-1.5 text-[0.87rem] text-ink-faint">
        <StatusBadge status={task.status} />
        <ElapsedTime task={task} />
        {task.model && <span className="font-mono text-[0.8rem]">{task.model}</span>}
        {!isDone && <Connection mode={mode} />}
      </div>
      {!isDone && (
        <div className="mt-3">
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
