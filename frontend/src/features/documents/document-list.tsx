import { FileText } from 'lucide-react';
import { Link } from 'react-router';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { DocumentInfo } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { ProgressBar } from '@/components/ui/progress-bar';
import { LoadingNote } from '@/components/ui/spinner';
import { formatBytes, formatNumber } from '@/lib/format';
import { useDeleteDocument, useDocuments, useParseAgain } from './queries';

function counted(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function facts(item: DocumentInfo): string {
  const parts = [item.kind, formatBytes(item.size)];
  if (item.table_count > 0) parts.push(counted(item.table_count, 'table'));
  if (item.section_count > 0) parts.push(counted(item.section_count, 'section'));
  return parts.filter(Boolean).join(' · ');
}

function failed(error: Error): void {
  toast.error('Nothing was changed', { description: toApiError(error).detail });
}

function Row({ projectId, item }: { projectId: string; item: DocumentInfo }) {
  const remove = useDeleteDocument(projectId);
  const again = useParseAgain(projectId);
  const isRead = item.status === 'ready';
  return (
    <li data-testid="document" data-status={item.status} className="grid gap-2 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="min-w-0 grow basis-56">
          {isRead ? (
            <Link
              to={`/projects/${projectId}/documents/${item.document_id}`}
              className="font-medium break-words underline decoration-line-strong hover:decoration-ink"
            >
              {item.name}
            </Link>
          ) : (
            <span className="font-medium break-words">{item.name}</span>
          )}
          <p className="mt-0.5 text-[0.87rem] text-ink-faint">{facts(item)}</p>
        </div>
        {item.status === 'waiting' && <Badge tone="calm">Waiting</Badge>}
        {item.status === 'parsing' && <Badge tone="accent">Being read</Badge>}
        {item.status === 'refused' && <Badge tone="bad">Not readable</Badge>}
        {item.status === 'refused' && (
          <Button
            size="small"
            isBusy={again.isPending}
            aria-label={`Try again ${item.name}`}
            onClick={() => again.mutate(item.document_id, { onError: failed })}
          >
            Try again
          </Button>
        )}
        <ConfirmDialog
          title={`Delete ${item.name}?`}
          confirmLabel="Delete"
          dismissLabel="Keep it"
          onConfirm={() => remove.mutate(item.document_id, { onError: failed })}
          trigger={
            <Button
              size="small"
              tone="danger"
              isBusy={remove.isPending}
              aria-label={`Delete ${item.name}`}
            >
              Delete
            </Button>
          }
        >
          The document, its tables and what was found in it go for good.
        </ConfirmDialog>
      </div>
      {item.status === 'parsing' && (
        <ProgressBar
          value={item.progress}
          label={`${item.name}: ${item.progress_note || 'being read'}`}
        />
      )}
      {item.status === 'refused' && (
        <p className="text-[0.93rem] text-ink-soft">
          {item.reason} <span className="font-mono text-[0.8rem] text-ink-faint">{item.error}</span>
        </p>
      )}
    </li>
  );
}

export function DocumentList({ projectId }: { projectId: string }) {
  const list = useDocuments(projectId);
  if (list.isPending) return <LoadingNote label="Reading the documents" />;
  if (!list.data) {
    return (
      <ErrorNote
        title="Could not read the documents"
        error={list.error}
        onRetry={() => void list.refetch()}
      />
    );
  }
  const items = list.data.pages.flatMap((page) => page.items);
  return (
    <>
      <div className="rounded-xl border border-line bg-surface">
        {items.length === 0 ? (
          <EmptyState icon={<FileText />} title="No documents yet">
            What you upload or fetch from a drive is read, searched and asked here.
          </EmptyState>
        ) : (
          <ul className="divide-y divide-line">
            {items.map((item) => (
              <Row key={item.document_id} projectId={projectId} item={item} />
            ))}
          </ul>
        )}
      </div>
      {list.hasNextPage && (
        <Button
          tone="ghost"
          className="mt-2"
          isBusy={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          Show older
        </Button>
      )}
    </>
  );
}
