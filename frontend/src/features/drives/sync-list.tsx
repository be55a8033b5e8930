import { FolderSync } from 'lucide-react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { DriveSync } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { ErrorNote } from '@/components/ui/error-note';
import { formatAgo, formatNumber } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { isEnded } from './drive-data';
import { JobState } from './job-list';
import { useCancelSync, useRemoveSync, useRunSync, useSyncs } from './transfer-queries';

interface SyncRowProps {
  projectId: string;
  sync: DriveSync;
  isReadOnly: boolean;
}

function failed(error: Error) {
  toast.error('That did not work', { description: toApiError(error).detail });
}

function SyncButtons({ projectId, sync }: Omit<SyncRowProps, 'isReadOnly'>) {
  const run = useRunSync(projectId, sync.sync_id);
  const cancel = useCancelSync(projectId, sync.sync_id);
  const remove = useRemoveSync(projectId, sync.sync_id);
  const isRunning = sync.job !== null && !isEnded(sync.job);
  return (
    <>
      {isRunning ? (
        <Button
          size="small"
          isBusy={cancel.isPending}
          aria-label={`Stop ${sync.folder_name}`}
          onClick={() => cancel.mutate(undefined, { onError: failed })}
        >
          Stop
        </Button>
      ) : (
        <Button
          size="small"
          isBusy={run.isPending}
          disabled={!sync.is_own}
          title={sync.is_own ? undefined : 'Only who follows it can run it'}
          aria-label={`Bring up to date: ${sync.folder_name}`}
          onClick={() => run.mutate(undefined, { onError: failed })}
        >
          Bring up to date
        </Button>
      )}
      <ConfirmDialog
        title={`Follow ${sync.folder_name} no more?`}
        confirmLabel="Follow no more"
        dismissLabel="Go on"
        onConfirm={() => remove.mutate(undefined, { onError: failed })}
        trigger={
          <Button
            size="small"
            tone="danger"
            isBusy={remove.isPending}
            aria-label={`Follow no more: ${sync.folder_name}`}
          >
            Follow no more
          </Button>
        }
      >
        Its files stay in the library.
      </ConfirmDialog>
    </>
  );
}

function SyncRow({ projectId, sync, isReadOnly }: SyncRowProps) {
  const now = useNow(30_000);
  const facts = [
    sync.provider,
    `${formatNumber(sync.file_count)} ${sync.file_count === 1 ? 'file' : 'files'}`,
    sync.synced_at ? `in step ${formatAgo(sync.synced_at, now)}` : 'never in step yet',
    sync.keeps_deleted && 'keeps what is deleted there',
    !sync.is_own && 'over another member’s drive',
  ];
  return (
    <li data-testid="drive-sync" className="grid gap-3 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <FolderSync aria-hidden className="size-5 shrink-0 text-ink-faint" />
        <div className="min-w-0 grow basis-56">
          <p className="font-medium break-all">{sync.folder_name}</p>
          <p className="text-[0.87rem] text-ink-faint">{facts.filter(Boolean).join(' · ')}</p>
        </div>
        {!isReadOnly && <SyncButtons projectId={projectId} sync={sync} />}
      </div>
      {sync.job && <JobState title="Last run" job={sync.job} />}
    </li>
  );
}

/** The folders that the project's library follows. */
export function SyncList({ projectId, isReadOnly }: { projectId: string; isReadOnly: boolean }) {
  const { data, error, refetch } = useSyncs(projectId);
  if (error) {
    return (
      <ErrorNote
        title="Could not read the followed folders"
        error={error}
        onRetry={() => void refetch()}
      />
    );
  }
  if (!data || data.items.length === 0) return null;
  return (
    <ul
      aria-label="Followed folders"
      className="divide-y divide-line rounded-xl border border-line bg-surface"
    >
      {data.items.map((sync) => (
        <SyncRow key={sync.sync_id} projectId={projectId} sync={sync} isReadOnly={isReadOnly} />
      ))}
    </ul>
  );
}
