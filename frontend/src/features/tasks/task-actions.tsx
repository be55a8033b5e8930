import { Download, Pause, Play, RotateCw, Square } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { TaskState } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { downloadExport } from './export';
import { useCancelTask, usePauseTask, useResumeTask, useRetryTask, useRunTask } from './queries';
import { isTerminal } from '@/api/task-status';

interface TaskActionsProps {
  task: TaskState;
  children?: ReactNode;
}

function orSay(title: string) {
  return {
    onError: (error: Error) =>
      void toast.error(title, { description: toApiError(error).detail, duration: 12_000 }),
  };
}

function PauseButton({ task }: { task: TaskState }) {
  const pause = usePauseTask();
  const resume = useResumeTask();
  if (task.is_pause_requested || task.queue?.state === 'paused') {
    return (
      <Button
        size="small"
        isBusy={resume.isPending}
        onClick={() => resume.mutate(task.task_id, orSay('The task does not go on'))}
      >
        {!resume.isPending && <Play aria-hidden />} Resume
      </Button>
    );
  }
  return (
    <Button
      size="small"
      isBusy={pause.isPending}
      title="The step in flight is the last; nothing is lost"
      onClick={() => pause.mutate(task.task_id, orSay('The task was not paused'))}
    >
      {!pause.isPending && <Pause aria-hidden />} Pause
    </Button>
  );
}

function CancelButton({ task }: { task: TaskState }) {
  const cancel = useCancelTask();
  const isAsked = cancel.isSuccess || task.is_cancel_requested;
  return (
    <ConfirmDialog
      title="Cancel this build?"
      confirmLabel="Cancel build"
      dismissLabel="Keep building"
      onConfirm={() => cancel.mutate(task.task_id, orSay('The build was not cancelled'))}
      trigger={
        <Button tone="danger" size="small" isBusy={cancel.isPending || isAsked}>
          {isAsked ? (
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
  );
}

function RetryButton({ task }: { task: TaskState }) {
  const retry = useRetryTask();
  const navigate = useNavigate();
  return (
    <Button
      size="small"
      isBusy={retry.isPending}
      title="The same request once more, as a new attempt"
      onClick={() =>
        retry.mutate(task.task_id, {
          ...orSay('There is no new attempt'),
          onSuccess: (next) => void navigate(`/tasks/${next.task_id}`),
        })
      }
    >
      {!retry.isPending && <RotateCw aria-hidden />} Try again
    </Button>
  );
}

function DownloadButton({ task }: { task: TaskState }) {
  const [isExporting, setIsExporting] = useState(false);
  const download = () => {
    setIsExporting(true);
    downloadExport(task.task_id)
      .catch(orSay('The download failed').onError)
      .finally(() => setIsExporting(false));
  };
  return (
    <Button size="small" isBusy={isExporting} onClick={download}>
      <Download aria-hidden /> Download zip
    </Button>
  );
}

/** What can be done with the task now. */
export function TaskActions({ task, children }: TaskActionsProps) {
  const run = useRunTask();
  const isDone = isTerminal(task.status);
  const isAccepted = task.queue !== null || task.status !== 'PENDING';
  return (
    <div className="flex flex-wrap gap-2">
      {!isDone && !isAccepted && (
        <Button
          tone="primary"
          size="small"
          isBusy={run.isPending}
          onClick={() => run.mutate(task.task_id, orSay('The build did not start'))}
        >
          <Play aria-hidden /> Start
        </Button>
      )}
      {!isDone && isAccepted && <PauseButton task={task} />}
      {!isDone && <CancelButton task={task} />}
      {isDone && task.status !== 'SUCCEEDED' && <RetryButton task={task} />}
      {children}
      {isDone && <DownloadButton task={task} />}
    </div>
  );
}
