import { HardDrive } from 'lucide-react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { DriveLink, DriveProvider } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { EmptyState, Note } from '@/components/ui/note';
import { formatAgo } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { useUnlink } from './queries';

interface LinkRowProps {
  link: DriveLink;
  providerTitle: string;
  onReconnect: () => void;
}

function LinkRow({ link, providerTitle, onReconnect }: LinkRowProps) {
  const now = useNow(30_000);
  const unlink = useUnlink();
  const isBroken = link.state === 'broken';
  const name = link.title || providerTitle;
  return (
    <li data-testid="drive-link" className="flex flex-wrap items-center gap-x-3 gap-y-3 px-4 py-3">
      <HardDrive aria-hidden className="size-5 shrink-0 text-ink-faint" />
      <div className="min-w-0 grow basis-56">
        <p className="flex flex-wrap items-center gap-2">
          <span className="min-w-0 font-medium break-words">{name}</span>
          <Badge tone={isBroken ? 'bad' : 'good'}>{isBroken ? 'broken' : 'linked'}</Badge>
        </p>
        <p className="mt-0.5 text-[0.87rem] text-ink-faint">
          {providerTitle} · linked {formatAgo(link.created_at, now)}
        </p>
      </div>
      <ConfirmDialog
        title={`Unlink ${name}?`}
        confirmLabel="Unlink"
        dismissLabel="Keep it"
        onConfirm={() =>
          unlink.mutate(link.link_id, {
            onSuccess: ({ detail, is_revoked: isRevoked }) => {
              if (isRevoked) toast.success(`${name} is unlinked`, { description: detail });
              else toast.warning(`${name} is unlinked here`, { description: detail });
            },
            onError: (error) =>
              void toast.error('It is still linked', { description: toApiError(error).detail }),
          })
        }
        trigger={
          <Button
            size="small"
            tone="danger"
            isBusy={unlink.isPending}
            aria-label={`Unlink ${name}`}
          >
            Unlink
          </Button>
        }
      >
        What was imported stays. Folders that projects follow over it are no longer followed.
      </ConfirmDialog>
      {isBroken && (
        <div className="basis-full">
          <Note
            tone="bad"
            title="The drive lets Diono in no more"
            action={
              <Button size="small" onClick={onReconnect}>
                Reconnect {providerTitle}
              </Button>
            }
          >
            {link.problem || 'Connect the same account again; everything that uses it goes on.'}
          </Note>
        </div>
      )}
    </li>
  );
}

interface LinkListProps {
  links: readonly DriveLink[];
  providers: readonly DriveProvider[];
  onReconnect: (providerName: string) => void;
}

export function LinkList({ links, providers, onReconnect }: LinkListProps) {
  const titleOf = (name: string) => providers.find((it) => it.name === name)?.title ?? name;
  return (
    <div className="rounded-xl border border-line bg-surface">
      {links.length === 0 ? (
        <EmptyState icon={<HardDrive />} title="No drives yet">
          Link one below, then bring its files into any of your projects.
        </EmptyState>
      ) : (
        <ul className="divide-y divide-line">
          {links.map((link) => (
            <LinkRow
              key={link.link_id}
              link={link}
              providerTitle={titleOf(link.provider)}
              onReconnect={() => onReconnect(link.provider)}
            />
          ))}
        </ul>
      )}
    </div>
  );
}
