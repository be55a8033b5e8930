import { toApiError } from '@/api/errors';
import { AuditRows } from '@/components/audit-rows';
import { SectionHead } from '@/components/page-head';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { LoadingNote } from '@/components/ui/spinner';
import { useOwnEvents } from './queries';

export function EventSection() {
  const list = useOwnEvents();
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-labelledby="own-events">
      <SectionHead id="own-events" title="What happened to this account">
        Sign-ins, changes, keys. What you do not recognise: change the password.
      </SectionHead>
      {list.isPending && <LoadingNote label="Reading the events" />}
      {list.error && (
        <ErrorNote
          title="Could not read the events"
          error={toApiError(list.error)}
          onRetry={() => void list.refetch()}
        />
      )}
      {rows.length > 0 && <AuditRows rows={rows} hasActor={false} />}
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
