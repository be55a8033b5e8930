import { GitCommitHorizontal } from 'lucide-react';
import { useState } from 'react';
import { toApiError } from '@/api/errors';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { useNow } from '@/lib/use-now';
import { CheckpointRow } from './checkpoint-row';
import { useCheckpoints, useMakeCheckpoint } from './queries';

const TITLE_LENGTH = 200;

interface HistoryPanelProps {
  projectId: string;
  onForked: (projectId: string) => void;
}

function KeepForm({ projectId }: { projectId: string }) {
  const [title, setTitle] = useState('');
  const make = useMakeCheckpoint(projectId);
  return (
    <form
      className="grid gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate(title.trim(), { onSuccess: () => setTitle('') });
      }}
    >
      <div className="flex gap-2">
        <input
          aria-label="Name of the checkpoint"
          placeholder="Before the redesign"
          className="h-8 min-w-0 grow rounded-lg border border-line-strong bg-surface px-2.5 text-[0.93rem] placeholder:text-ink-faint"
          maxLength={TITLE_LENGTH}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
        <Button type="submit" size="small" disabled={!title.trim()} isBusy={make.isPending}>
          Keep as it is
        </Button>
      </div>
      {make.error && (
        <ErrorNote title="The checkpoint was not made" error={toApiError(make.error)} />
      )}
    </form>
  );
}

function List({
  projectId,
  onForked,
  isBookmarked,
}: HistoryPanelProps & { isBookmarked: boolean }) {
  const list = useCheckpoints(projectId, isBookmarked);
  const now = useNow(30_000);
  if (list.isPending) return <LoadingNote label="Reading the history" />;
  if (!list.data) {
    return (
      <ErrorNote
        title="Could not read the history"
        error={list.error}
        onRetry={() => void list.refetch()}
      />
    );
  }
  const items = list.data.pages.flatMap((page) => page.items);
  if (items.length === 0) {
    return (
      <EmptyState icon={<GitCommitHorizontal />} title="No checkpoints">
        {isBookmarked
          ? 'Bookmark a good state to find it again.'
          : 'Each step that changes files leaves one.'}
      </EmptyState>
    );
  }
  return (
    <>
      <ul
        aria-label="Checkpoints"
        className="divide-y divide-line rounded-xl border border-line bg-surface"
      >
        {items.map((checkpoint) => (
          <CheckpointRow
            key={checkpoint.checkpoint_id}
            projectId={projectId}
            checkpoint={checkpoint}
            now={now}
            onForked={onForked}
          />
        ))}
      </ul>
      {list.hasNextPage && (
        <Button
          tone="ghost"
          size="small"
          isBusy={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          Show older
        </Button>
      )}
    </>
  );
}

/** The points to return to: compare, go back, keep, copy. */
export function HistoryPanel({ projectId, onForked }: HistoryPanelProps) {
  const [isBookmarked, setIsBookmarked] = useState(false);
  return (
    <div className="grid min-w-0 grid-cols-1 gap-4 p-4 sm:p-5">
      <KeepForm projectId={projectId} />
      <label className="flex items-center gap-2 text-[0.87rem] text-ink-soft">
        <input
          type="checkbox"
          className="size-4 accent-accent"
          checked={isBookmarked}
          onChange={(event) => setIsBookmarked(event.target.checked)}
        />
        Bookmarked only
      </label>
      <List projectId={projectId} onForked={onForked} isBookmarked={isBookmarked} />
    </div>
  );
}
