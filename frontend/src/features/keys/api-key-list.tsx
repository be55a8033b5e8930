import { KeyRound } from 'lucide-react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { ApiKeyInfo, NewApiKey } from '@/api/types';
import { IssuedSecret } from '@/components/keys/issued-secret';
import { KeySection } from '@/components/keys/key-section';
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
  return (
    <IssuedSecret
      title={`“${issued.name}” is ready`}
      warning="This is the only time that the key is shown: copy it now. Whoever has it acts as you."
      secret={issued.key}
      testId="new-api-key"
      onClose={onClose}
    >
      <OpenAiAccess apiKey={issued.key} />
    </IssuedSecret>
  );
}

export function ApiKeyList() {
  return (
    <KeySection<NewApiKey> id="api-keys" title="Your keys" form={NewApiKeyForm} shown={Issued}>
      <Keys />
    </KeySection>
  );
}
