import { ExternalLink } from 'lucide-react';
import { useEffect, useEffectEvent, useState } from 'react';
import { toApiError } from '@/api/errors';
import type { ConnectInfo, DriveLink } from '@/api/types';
import { CopyButton } from '@/components/copy-button';
import { Button, buttonClass } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { TextField } from '@/components/ui/field';
import { Note } from '@/components/ui/note';
import { Spinner } from '@/components/ui/spinner';
import { isPolled, openableUrl } from './drive-data';
import { useFinishConnect } from './queries';

const LEAST_SECONDS = 2;

interface PendingProps {
  connect: ConnectInfo;
  onLinked: (link: DriveLink) => void;
}

function OpenLink({ url }: { url: string }) {
  const safe = openableUrl(url);
  if (!safe) {
    return (
      <Note tone="bad" title="The server sent an address that cannot be opened">
        It is not a web address. Check the address of the server.
      </Note>
    );
  }
  return (
    <div>
      <a
        href={safe}
        target="_blank"
        rel="noopener noreferrer"
        className={buttonClass({ tone: 'primary' })}
      >
        <ExternalLink aria-hidden /> Open {new URL(safe).host}
      </a>
    </div>
  );
}

/** Asks at the provider's pace until the user is done there. */
function Waiting({ connect, onLinked }: PendingProps) {
  const { mutate, error, isPending } = useFinishConnect(connect.connect_id);
  const ask = useEffectEvent(() => {
    if (!isPending) mutate('', { onSuccess: ({ link }) => link && onLinked(link) });
  });
  const isRefused = error !== null && toApiError(error).isRefusal;
  useEffect(() => {
    if (isRefused) return undefined;
    const seconds = Math.max(LEAST_SECONDS, connect.interval_seconds);
    const timer = setInterval(() => ask(), seconds * 1000);
    return () => clearInterval(timer);
  }, [isRefused, connect.interval_seconds]);
  if (error && isRefused) {
    return <ErrorNote title="The drive was not linked" error={toApiError(error)} />;
  }
  return (
    <p role="status" className="flex items-center gap-2 text-[0.93rem] text-ink-soft">
      <Spinner /> Waiting until you are done there.
    </p>
  );
}

function PasteForm({ connect, onLinked }: PendingProps) {
  const finish = useFinishConnect(connect.connect_id);
  const [code, setCode] = useState('');
  return (
    <form
      aria-label="Finish with the code"
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        finish.mutate(code.trim(), { onSuccess: ({ link }) => link && onLinked(link) });
      }}
    >
      {finish.error && (
        <ErrorNote title="The drive was not linked" error={toApiError(finish.error)} />
      )}
      <TextField
        id="connect-code"
        label="Code"
        hint="Or the whole address at which the browser ended."
        autoComplete="off"
        spellCheck={false}
        maxLength={4000}
        value={code}
        onChange={(event) => setCode(event.target.value)}
      />
      <div>
        <Button type="submit" isBusy={finish.isPending} disabled={!code.trim()}>
          Link the drive
        </Button>
      </div>
    </form>
  );
}

/** A connection that is finished somewhere else, and here. */
export function PendingConnect({ connect, onLinked }: PendingProps) {
  return (
    <div className="grid gap-4">
      {connect.user_code && (
        <div>
          <p className="text-[0.93rem] text-ink-soft">Type this code in there:</p>
          <div className="mt-1.5 flex flex-wrap items-center gap-3">
            <code data-testid="user-code" className="font-mono text-[1.33rem] font-semibold">
              {connect.user_code}
            </code>
            <CopyButton text={connect.user_code} label="the code" />
          </div>
        </div>
      )}
      <OpenLink url={connect.url} />
      {isPolled(connect.mode) ? (
        <Waiting connect={connect} onLinked={onLinked} />
      ) : (
        <PasteForm connect={connect} onLinked={onLinked} />
      )}
    </div>
  );
}
