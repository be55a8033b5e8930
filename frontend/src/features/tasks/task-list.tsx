import { Link } from 'react-router';
import type { TaskState } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { LoadingNote } from '@/components/ui/spinner';
import { cn } from '@/lib/cn';
import { formatAgo, shorten } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { useTaskList } from './queries';
import { StatusMark } from './status';

interface TaskListProps {
  activeTaskId: string | undefined;
}

function TaskRow({ task, isActive, now }: { task: TaskState; isActive: boolean; now: number }) {
  return (
    <li>
      <Link
        to={`/tasks/${task.task_id}`}
        aria-current={isActive ? 'page' : undefined}
        className={cn(
          'flex gap-2.5 rounded-lg px-2.5 py-2 transition-colors hover:bg-sunken',
          isActive && 'bg-sunken',
        )}
      >
        <StatusMark
          status={task.status}
          kind={task.kind}
          isPaused={task.queue?.state === 'paused'}
        />
        <span className="min-w-0">
          <span className="line-clamp-2 text-[0.93rem] leading-snug break-words">
            {shorten(task.prompt, 90)}
          </span>
          <span className="mt-0.5 block text-[0.8rem] text-ink-faint">
            {formatAgo(task.created_at, now)}
          </span>
        </span>
      </Link>
    </li>
  );
}

export function TaskList({ activeTaskId }: TaskListProps) {
  const list = useTaskList();
  const now = useNow(30_000);
  if (list.isPending) return <LoadingNote label="Reading your builds" className="px-2 py-4" />;
  if (list.error && !list.data) {
    return (
      <ErrorNote
        title="Could not read your builds"
        error={list.error}
        onRetry={() => void list.refetch()}
      />
    );
  }
  // A turn of a chat belongs to its project's page.
  const tasks = list.data.pages
    .flatMap((page) => page.items)
    .filter((task) => task.kind !== 'chat');
  if (tasks.length === 0 && !list.hasNextPage) {
    return <p className="px-2.5 py-2 text-[0.93rem] text-ink-faint">Nothing built yet.</p>;
  }
  return (
    <>
      <ul className="grid gap-0.5">
        {tasks.map((task) => (
          <TaskRow
            key={task.task_id}
            task={task}
            isActive={task.task_id === activeTaskId}
            now={now}
          />
        ))}
      </ul>
      {list.hasNextPage && (
        <Button
          tone="ghost"
          size="small"
          className="mt-1 w-full"
          isBusy={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          Show older
        </Button>
      )}
    </>
  );
}
