import { KeyRound } from 'lucide-react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { IssuedSandboxKey, SandboxKey } from '@/api/types';
import { KeySection } from '@/components/keys/key-section';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatAgo, formatUntil } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { IssuedKey } from './issued-key';
import { NewKeyForm } from './new-key-form';
import { useRevokeKey, useSandboxKeys } from './queries';

function describe(key: SandboxKey, now: number): string {
  const facts = [`made ${formatAgo(key.created_at, now)}`];
  facts.push(key.last_used_at ? `last used ${formatAgo(key.last_used_at, now)}` : 'never used');
  if (key.expires_at && Date.parse(key.expires_at) > now) {
    facts.push(`ends ${formatUntil(key.expires_at, now)}`);
  }
  return facts.join(' · ');
}

function KeyRow({ sandboxKey, now }: { sandboxKey: SandboxKey; now: number }) {
  const revoke = useRevokeKey();
  const name = sandboxKey.name || 'without a name';
  const isOver = sandboxKey.expires_at !== null && Date.parse(sandboxKey.expires_at) <= now;
  return (
    <li className="flex flex-wrap items-center gap-x-5 gap-y-2.5 px-4 py-3.5" data-testid="key">
      <div className="min-w-0 grow basis-64">
        <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
          <span className="mr-0.5 min-w-0 truncate font-medium">{name}</span>
          {sandboxKey.scopes.map((scope) => (
            <Badge key={scope} tone="calm">
              {scope === 'sandbox' ? 'Sandboxes' : 'Templates'}
            </Badge>
          ))}
          {isOver && <Badge tone="warn">Expired</Badge>}
        </p>
        <p className="mt-1.5 text-[0.87rem] text-ink-faint">{describe(sandboxKey, now)}</p>
      </div>
      <ConfirmDialog
        title={`Revoke the key ${name}?`}
        confirmLabel="Revoke key"
        dismissLabel="Keep it"
        onConfirm={() =>
          revoke.mutate(sandboxKey.key_id, {
            onError: (error) =>
              toast.error('The key was not revoked', { description: toApiError(error).detail }),
          })
        }
        trigger={
          <Button
            tone="danger"
            size="small"
            isBusy={revoke.isPending}
            aria-label={`Revoke ${name}`}
          >
            Revoke
          </Button>
        }
      >
        Programs that use it are refused from now on. Sandboxes that run stay until their time is
        over.
      </ConfirmDialog>
    </li>
  );
}

function Keys() {
  const { data, error, isPending, refetch } = useSandboxKeys();
  const now = useNow(30_000);
  if (isPending) return <LoadingNote label="Reading your keys" />;
  if (error) {
    return (
      <ErrorNote title="Could not read your keys" error={error} onRetry={() => void refetch()} />
    );
  }
  return (
    <div className="rounded-xl border border-line bg-surface">
      {data.items.length === 0 ? (
        <EmptyState icon={<KeyRound />} title="No keys yet">
          With a key, programs that use the E2B SDK run in sandboxes on this machine.
        </EmptyState>
      ) : (
        <ul className="divide-y divide-line">
          {data.items.map((key) => (
            <KeyRow key={key.key_id} sandboxKey={key} now={now} />
          ))}
        </ul>
      )}
    </div>
  );
}

export function KeyList() {
  return (
    <KeySection<IssuedSandboxKey>
      id="sandbox-keys"
      title="Keys for E2B SDKs"
      lead="The official Python and JavaScript SDKs work here unchanged."
      form={NewKeyForm}
      shown={IssuedKey}
    >
      <Keys />
    </KeySection>
  );
}
