import { Bookmark, GitFork, History } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { CheckpointInfo } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { formatAgo } from '@/lib/format';
import { DiffView } from './diff-view';
import { useBookmark, useFork, useRestore } from './queries';

interface CheckpointRowProps {
  projectId: string;
  checkpoint: CheckpointInfo;
  now: number;
  onForked: (projectId: string) => void;
}

function sayNot(title: string) {
  return (error: Error) =>
    void toast.error(title, { description: toApiError(error).detail, duration: 12_000 });
}

function RestoreButton({
  projectId,
  checkpoint,
}: {
  projectId: string;
  checkpoint: CheckpointInfo;
}) {
  const restore = useRestore(projectId);
  return (
    <ConfirmDialog
      title={`Go back to “${checkpoint.title}”?`}
      confirmLabel="Restore"
      dismissLabel="Stay here"
      onConfirm={() =>
        restore.mutate(checkpoint.checkpoint_id, {
          onError: sayNot('Nothing was restored'),
          onSuccess: (report) =>
            void toast.success('Restored', {
              description:
                `What was there is kept in “${report.before.title}”.` +
                (report.running_services.length > 0
                  ? ` Restart ${report.running_services.join(', ')} if it does not reload files.`
                  : ''),
            }),
        })
      }
      trigger={
        <Button size="small" isBusy={restore.isPending} aria-label={`Restore ${checkpoint.title}`}>
          {!restore.isPending && <History aria-hidden />} Restore
        </Button>
      }
    >
      Files, conversation and memory go back to then. Nothing is lost: later work stays in a
      checkpoint of its own, to which you can go back.
    </ConfirmDialog>
  );
}

/** One point to return to. */
export function CheckpointRow({ projectId, checkpoint, now, onForked }: CheckpointRowProps) {
  const [isOpen, setIsOpen] = useState(false);
  const bookmark = useBookmark(projectId);
  const fork = useFork(projectId);
  const { title, checkpoint_id: checkpointId, is_bookmarked: isBookmarked } = checkpoint;
  return (
    <li className="grid min-w-0 grid-cols-1 gap-2 px-3.5 py-3" data-testid="checkpoint">
      <div className="flex items-start gap-2">
        <div className="min-w-0 grow">
          <p className="leading-snug break-words">{title}</p>
          <p className="mt-0.5 text-[0.8rem] text-ink-faint">
            {formatAgo(checkpoint.created_at, now)} ·{' '}
            <code className="font-mono">{checkpoint.commit.slice(0, 8)}</code>
          </p>
        </div>
        <Button
          tone="ghost"
          size="icon"
          aria-pressed={isBookmarked}
          aria-label={`Bookmark ${title}`}
          isBusy={bookmark.isPending}
          onClick={() =>
            bookmark.mutate(
              { checkpointId, isBookmarked: !isBookmarked },
              { onError: sayNot('The bookmark stays as it was') },
            )
          }
        >
          {!bookmark.isPending && (
            <Bookmark aria-hidden className={isBookmarked ? 'fill-accent text-accent' : ''} />
          )}
        </Button>
      </div>
      <div className="flex flex-wrap gap-2">
        <Button
          size="small"
          aria-expanded={isOpen}
          aria-label={`${isOpen ? 'Hide the comparison' : 'Compare'} with ${title}`}
          onClick={() => setIsOpen(!isOpen)}
        >
          {isOpen ? 'Hide' : 'Compare'}
        </Button>
        <RestoreButton projectId={projectId} checkpoint={checkpoint} />
        <Button
          size="small"
          isBusy={fork.isPending}
          aria-label={`Fork ${title}`}
          onClick={() =>
            fork.mutate(checkpointId, {
              onError: sayNot('It was not copied'),
              onSuccess: (project) => onForked(project.project_id),
            })
          }
        >
          {!fork.isPending && <GitFork aria-hidden />} Fork
        </Button>
      </div>
      {isOpen && <DiffView projectId={projectId} checkpointId={checkpointId} />}
    </li>
  );
}
