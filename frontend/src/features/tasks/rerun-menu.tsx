import { Columns2, Cpu, History, MessagesSquare } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import { toApiError } from '@/api/errors';
import type { TaskState } from '@/api/types';
import { Button, buttonClass } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { useRerunTask } from './queries';

interface TaskLinksProps {
  task: TaskState;
  onRerun: () => void;
}

/** Where one goes from a task that has ended. */
export function TaskLinks({ task, onRerun }: TaskLinksProps) {
  const small = buttonClass({ size: 'small' });
  return (
    <>
      <Link className={small} to={`/projects/${task.project_id}`}>
        <MessagesSquare aria-hidden /> Chat and change
      </Link>
      <Link className={small} to={`/tasks/${task.task_id}/replay`}>
        <History aria-hidden /> Replay
      </Link>
      {task.rerun_of && (
        <Link className={small} to={`/tasks/${task.rerun_of}/compare/${task.task_id}`}>
          <Columns2 aria-hidden /> Compare
        </Link>
      )}
      <Button size="small" onClick={onRerun}>
        <Cpu aria-hidden /> Other model
      </Button>
    </>
  );
}

interface RerunFormProps {
  task: TaskState;
  model: string | null;
  modelPicker: ReactNode;
  onClose: () => void;
}

/** The same request once more on another model, to be compared with this one. */
export function RerunForm({ task, model, modelPicker, onClose }: RerunFormProps) {
  const rerun = useRerunTask();
  const navigate = useNavigate();
  const [isAsked, setIsAsked] = useState(false);
  return (
    <form
      aria-label="Run on another model"
      className="flex flex-wrap items-center gap-3 border-b border-line bg-surface px-4 py-3 sm:px-6"
      onSubmit={(event) => {
        event.preventDefault();
        setIsAsked(true);
        if (!model) return;
        rerun.mutate(
          { taskId: task.task_id, model },
          { onSuccess: (next) => void navigate(`/tasks/${next.task_id}`) },
        );
      }}
    >
      <span className="text-[0.93rem]">The same request on</span>
      {modelPicker}
      <Button type="submit" tone="primary" size="small" isBusy={rerun.isPending}>
        Run
      </Button>
      <Button size="small" onClick={onClose}>
        Close
      </Button>
      {isAsked && !model && (
        <span role="alert" className="text-[0.87rem] text-warn">
          Choose a model first.
        </span>
      )}
      {rerun.error && (
        <ErrorNote className="w-full" title="It was not run" error={toApiError(rerun.error)} />
      )}
    </form>
  );
}
