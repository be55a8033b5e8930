import { KeyRound, Plus } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { ApiKeyInfo, NewApiKey } from '@/api/types';
import { CopyButton } from '@/components/copy-button';
import { SectionHead } from '@/components/page-head';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatAgo, formatUntil } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { NewApiKeyForm } from './new-api-key-form';
import { OpenAiAccess } from './openai-access';
import { useApiKeys, useRevokeApiKey } from './queries';

function describe(key: ApiKeyInfo, now: number): string {
  const facts = [key.hint, `made ${formatAgo(key.created_at, now)}`];
  facts.push(key.last_used_at ? `last used ${formatAgo(key.last_used_at, now)}` : 'never used');
  if (key.is_active && key.expires_at) facts.push(`ends ${formatUntil(key.expires_at, now)}`);
  if (key.project_id) facts.push('for one project');
  return facts.join(' · ');
}

function RevokeButton({ apiKey }: { apiKey: ApiKeyInfo }) {
  const revoke = useRevokeApiKey();
  return (
    <ConfirmDialog
      title={`Revoke the key ${apiKey.name}?`}
      confirmLabel="Revoke key"
      dismissLabel="Keep it"
      onConfirm={() =>
        revoke.mutate(apiKey.key_id, {
          onError: (error) =>
            void toast.error('The key was not revoked', { description: toApiError(error).detail }),
        })
      }
      trigger={
        <Button
          tone="danger"
          size="small"
          isBusy={revoke.isPending}
          aria-label={`Revoke ${apiKey.name}`}
        >
          Revoke
        </Button>
      }
    >
      Programs that use it are refused from now on. Tasks that run go on.
    </ConfirmDialog>
  );
}

function Keys() {
  const { data, error, isPending, refetch } = useApiKeys();
  const now = useNow(30_000);
  if (isPending) return <LoadingNote label="Reading your keys" />;
  if (!data) {
    return (
      <ErrorNote title="Could not read your keys" error={error} onRetry={() => void refetch()} />
    );
  }
  return (
    <div className="rounded-xl border border-line bg-surface">
      {data.items.length === 0 ? (
        <EmptyState icon={<KeyRound />} title="No API keys yet">
          With a key, any OpenAI client uses this machine’s models and its agent.
        </EmptyState>
      ) : (
        <ul className="divide-y divide-line">
          {data.items.map((key) => (
            <li
              key={key.key_id}
              data-testid="api-key"
              className="flex flex-wrap items-center gap-x-5 gap-y-2.5 px-4 py-3.5"
            >
              <div className="min-w-0 grow basis-64">
                <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
                  <span className="min-w-0 font-medium break-words">{key.name}</span>
                  {key.scopes.map((scope) => (
                    <Badge key={scope} tone="calm">
                      {scope}
                    </Badge>
                  ))}
                  {!key.is_active && <Badge tone="warn">No longer valid</Badge>}
                </p>
                <p className="mt-1.5 text-[0.87rem] break-words text-ink-faint">
                  {describe(key, now)}
                </p>
              </div>
              {key.is_active && <RevokeButton apiKey={key} />}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Issued({ issued, onClose }: { issued: NewApiKey; onClose: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div className="mb-4 grid grid-cols-1 gap-4 rounded-xl border border-line-strong bg-surface p-4 sm:p-5">
      <div>
        <h3 ref={heading} tabIndex={-1} className="font-semibold outline-none">
          “{issued.name}” is ready
        </h3>
        <p className="mt-1 text-[0.93rem] text-ink-soft">
          This is the only time that the key is shown: copy it now. Whoever has it acts as you.
        </p>
      </div>
      <div className="flex min-w-0 items-center gap-2 rounded-lg border border-line bg-sunken py-1.5 pr-1.5 pl-3.5">
        <code className="min-w-0 grow font-mono text-[0.87rem] break-all" data-testid="new-api-key">
          {issued.key}
        </code>
        <CopyButton text={issued.key} label="the key" />
      </div>
      <OpenAiAccess apiKey={issued.key} />
      <div>
        <Button tone="primary" onClick={onClose}>
          I have copied it
        </Button>
      </div>
    </div>
  );
}

export function ApiKeyList() {
  const [isAsking, setIsAsking] = useState(false);
  const [issued, setIssued] = useState<NewApiKey | null>(null);
  return (
    <section aria-labelledby="api-keys">
      <SectionHead
        id="api-keys"
        title="Your keys"
        action={
          !isAsking && (
            <Button
              onClick={() => {
                setIssued(null);
                setIsAsking(true);
              }}
            >
              <Plus aria-hidden /> New key
            </Button>
          )
        }
      />
      {isAsking && (
        <NewApiKeyForm
          onCancel={() => setIsAsking(false)}
          onIssued={(key) => {
            setIssued(key);
            setIsAsking(false);
          }}
        />
      )}
      {issued && <Issued issued={issued} onClose={() => setIssued(null)} />}
      <Keys />
    </section>
  );
}
