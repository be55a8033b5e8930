import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { SessionInfo } from '@/api/types';
import { SectionHead } from '@/components/page-head';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { ErrorNote } from '@/components/ui/error-note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatAgo } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { useEndSession, useSessions, useSignOutEverywhere } from './queries';

function fail(error: Error): void {
  toast.error('The session goes on', { description: toApiError(error).detail });
}

function Row({ session, now }: { session: SessionInfo; now: number }) {
  const end = useEndSession();
  return (
    <li data-testid="session" className="flex flex-wrap items-center gap-x-5 gap-y-2 px-4 py-3">
      <div className="min-w-0 grow basis-64">
        <p className="flex flex-wrap items-center gap-2">
          <span className="min-w-0 font-medium break-words">
            {session.client || 'A program without a name'}
          </span>
          {session.is_current && <Badge tone="accent">Here</Badge>}
        </p>
        <p className="mt-1 text-[0.87rem] break-words text-ink-faint">
          {[
            session.address && `from ${session.address}`,
            session.method === 'oidc' ? 'by the identity provider' : 'by password',
            `since ${formatAgo(session.created_at, now)}`,
            `last used ${formatAgo(session.refreshed_at, now)}`,
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
      </div>
      {!session.is_current && (
        <Button
          tone="danger"
          size="small"
          isBusy={end.isPending}
          aria-label={`End the session of ${session.client || 'a program'}`}
          onClick={() => end.mutate(session.session_id, { onError: fail })}
        >
          End
        </Button>
      )}
    </li>
  );
}

export function SessionSection() {
  const { data, error, isPending, refetch } = useSessions();
  const everywhere = useSignOutEverywhere();
  const now = useNow(30_000);
  return (
    <section aria-labelledby="sessions">
      <SectionHead
        id="sessions"
        title="Where you are signed in"
        action={
          <div className="flex flex-wrap gap-2">
            <Button
              size="small"
              isBusy={everywhere.isPending}
              onClick={() => everywhere.mutate(true, { onError: fail })}
            >
              End all others
            </Button>
            <ConfirmDialog
              title="Sign out everywhere?"
              confirmLabel="Sign out everywhere"
              dismissLabel="Stay"
              onConfirm={() => everywhere.mutate(false, { onError: fail })}
              trigger={
                <Button size="small" tone="danger">
                  Sign out everywhere
                </Button>
              }
            >
              Every browser and program, this one too, has to sign in again. API keys stay.
            </ConfirmDialog>
          </div>
        }
      />
      {isPending && <LoadingNote label="Reading your sessions" />}
      {error && (
        <ErrorNote
          title="Could not read your sessions"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {data && (
        <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
          {data.items.map((session) => (
            <Row key={session.session_id} session={session} now={now} />
          ))}
        </ul>
      )}
    </section>
  );
}
