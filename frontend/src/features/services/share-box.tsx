import { Link2 } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import { CopyButton } from '@/components/copy-button';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { ErrorNote } from '@/components/ui/error-note';
import { InlineSelect } from '@/components/ui/field';
import { formatUntil } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { useRevokeShares, useServices, useSharePreview } from './queries';

const PROGRAM = 'app';
const lifetimes = [
  { hours: 1, label: '1 hour' },
  { hours: 24, label: '1 day' },
  { hours: 24 * 7, label: '7 days' },
  { hours: 24 * 30, label: '30 days' },
];

function SharedLink({ url, expiresAt }: { url: string; expiresAt: string }) {
  const now = useNow(30_000);
  return (
    <div className="mt-3.5">
      <div className="flex min-w-0 items-center gap-2 rounded-lg border border-line bg-sunken py-1.5 pr-1.5 pl-3.5">
        <a
          href={url}
          target="_blank"
          rel="noopener noreferrer"
          data-testid="shared-link"
          className="min-w-0 grow truncate rounded font-mono text-[0.84rem] text-accent hover:underline"
        >
          {url}
        </a>
        <CopyButton text={url} label="the link" />
      </div>
      <p className="mt-1.5 text-[0.87rem] text-ink-faint">
        Ends {formatUntil(expiresAt, now)}. Whoever has it can use the program, without an account.
      </p>
    </div>
  );
}

/** Links for people without an account, made and ended. */
export function ShareBox({ projectId }: { projectId: string }) {
  const [hours, setHours] = useState(24);
  const services = useServices(projectId);
  const share = useSharePreview(projectId);
  const revoke = useRevokeShares(projectId);
  const shown = services.data?.services.find((it) => it.port !== null)?.name ?? PROGRAM;
  const end = () =>
    revoke.mutate(undefined, {
      onSuccess: () => {
        share.reset();
        toast.success('Every shared link of this project has ended');
      },
      onError: (error) =>
        toast.error('The links still work', { description: toApiError(error).detail }),
    });
  return (
    <div className="rounded-xl border border-line bg-surface px-4 py-3.5">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
        <InlineSelect
          id="share-hours"
          label="Works for"
          value={hours}
          onChange={(event) => setHours(Number(event.target.value))}
        >
          {lifetimes.map((it) => (
            <option key={it.hours} value={it.hours}>
              {it.label}
            </option>
          ))}
        </InlineSelect>
        <Button
          size="small"
          isBusy={share.isPending}
          onClick={() => share.mutate({ service: shown, hours })}
        >
          {!share.isPending && <Link2 aria-hidden />} Share link
        </Button>
        <span className="grow" />
        <ConfirmDialog
          title="End every shared link?"
          confirmLabel="End links"
          dismissLabel="Keep them"
          onConfirm={end}
          trigger={
            <Button tone="danger" size="small" isBusy={revoke.isPending}>
              Revoke links
            </Button>
          }
        >
          All links to this project that were given away stop working at once. Your own preview
          stays.
        </ConfirmDialog>
      </div>
      {share.error && (
        <ErrorNote className="mt-3.5" title="There is no link yet" error={share.error} />
      )}
      {share.data && !share.isPending && (
        <SharedLink url={share.data.url} expiresAt={share.data.expires_at} />
      )}
    </div>
  );
}
