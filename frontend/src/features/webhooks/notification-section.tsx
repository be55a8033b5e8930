import { useState } from 'react';
import { toApiError } from '@/api/errors';
import type { HookEvent } from '@/api/types';
import { SectionHead } from '@/components/page-head';
import { ErrorNote } from '@/components/ui/error-note';
import { Note } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { EventChoice } from './event-choice';
import { useNotifications, useSetNotifications } from './queries';

interface ChoiceProps {
  address: string | null;
  saved: readonly HookEvent[];
}

/** Each change is kept at once; a refused one is taken back. */
function Choice({ address, saved }: ChoiceProps) {
  const set = useSetNotifications();
  const [wanted, setWanted] = useState<readonly HookEvent[] | null>(null);
  return (
    <>
      {set.error && <ErrorNote title="They stay as they were" error={toApiError(set.error)} />}
      <EventChoice
        id="notification"
        legend={address ? `Sent to ${address}` : 'Tell me when'}
        chosen={wanted ?? saved}
        isDisabled={set.isPending}
        onChange={(chosen) => {
          setWanted(chosen);
          set.mutate(chosen, { onSettled: () => setWanted(null) });
        }}
      />
    </>
  );
}

/** Which events of one's own tasks and documents are told by mail. */
export function NotificationSection() {
  const { data, error, refetch } = useNotifications();
  return (
    <section aria-labelledby="notifications">
      <SectionHead id="notifications" title="Notifications by mail">
        About your own tasks and documents.
      </SectionHead>
      {!data && !error && <LoadingNote label="Reading the settings" />}
      {error && (
        <ErrorNote title="Could not read them" error={error} onRetry={() => void refetch()} />
      )}
      {data && (
        <div className="grid gap-4 rounded-xl border border-line bg-surface p-4 sm:p-5">
          {!data.is_mail_on && (
            <Note tone="warn">
              This server sends no mail yet. Your choice is kept until an admin sets it up.
            </Note>
          )}
          {data.is_mail_on && !data.address && (
            <Note tone="warn">
              There is no address to send to. Enter yours above and confirm it.
            </Note>
          )}
          <Choice address={data.address} saved={data.mail_events} />
        </div>
      )}
    </section>
  );
}
