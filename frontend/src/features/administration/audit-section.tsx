import { useState } from 'react';
import { AuditRows } from '@/components/audit-rows';
import { SectionHead } from '@/components/page-head';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { InlineSelect } from '@/components/ui/field';
import { LoadingNote } from '@/components/ui/spinner';
import { useAuditLog } from './queries';

const kinds = [
  { value: '', label: 'All' },
  { value: 'account.', label: 'Accounts' },
  { value: 'key.', label: 'Keys' },
  { value: 'project.', label: 'Projects' },
  { value: 'provider.', label: 'Providers' },
  { value: 'drive.', label: 'Drives' },
  { value: 'webhook.', label: 'Webhooks' },
];

export function AuditSection() {
  const [event, setEvent] = useState('');
  const list = useAuditLog(event);
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-labelledby="audit">
      <SectionHead
        id="audit"
        title="Audit log"
        action={
          <InlineSelect
            id="audit-kind"
            label="Show"
            value={event}
            onChange={(change) => setEvent(change.target.value)}
          >
            {kinds.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </InlineSelect>
        }
      >
        Every security event of this installation, newest first.
      </SectionHead>
      {list.isPending && <LoadingNote label="Reading the log" />}
      {list.error && (
        <ErrorNote
          title="Could not read the log"
          error={list.error}
          onRetry={() => void list.refetch()}
        />
      )}
      {list.data &&
        (rows.length > 0 ? (
          <AuditRows rows={rows} hasActor />
        ) : (
          <p className="text-ink-soft">Nothing of this kind has happened.</p>
        ))}
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
    </section>
  );
}
