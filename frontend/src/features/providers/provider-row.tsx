import { useState } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { LlmProvider } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { ErrorNote } from '@/components/ui/error-note';
import { formatAgo } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { heldBy } from './provider-data';
import { ProviderForm } from './provider-form';
import { useRemoveProvider, useTestProvider } from './queries';
import { TestResult } from './test-result';

interface RowProps {
  projectId: string | null;
  provider: LlmProvider;
  isChangeable: boolean;
}

function RemoveButton({ projectId, provider }: RowProps) {
  const remove = useRemoveProvider(projectId, provider.provider_id);
  const isInUse = remove.error !== null && toApiError(remove.error).code === 'provider_in_use';
  return (
    <>
      <ConfirmDialog
        title={`Remove ${provider.name}?`}
        confirmLabel={isInUse ? 'Remove it anyway' : 'Remove'}
        dismissLabel="Keep it"
        onConfirm={() =>
          remove.mutate(isInUse, {
            onSuccess: () => void toast.success(`${provider.name} is gone, and its key with it`),
          })
        }
        trigger={
          <Button
            size="small"
            tone="danger"
            isBusy={remove.isPending}
            aria-label={`Remove ${provider.name}`}
          >
            Remove
          </Button>
        }
      >
        {isInUse
          ? 'Tasks that are to run on it will fail.'
          : 'Its models are no longer offered, and its key is forgotten.'}
      </ConfirmDialog>
      {remove.error && (
        <div className="basis-full">
          <ErrorNote title="It was not removed" error={toApiError(remove.error)} />
        </div>
      )}
    </>
  );
}

function Facts({ provider }: { provider: LlmProvider }) {
  const now = useNow(30_000);
  const facts = [
    provider.kind,
    provider.base_url,
    provider.has_key ? `key ${provider.key_hint}` : 'no key',
    provider.models.length > 0 ? `offers ${provider.models.join(', ')}` : 'offers all its models',
    provider.tested_at && `tried ${formatAgo(provider.tested_at, now)}`,
  ];
  return (
    <p className="mt-0.5 text-[0.87rem] break-words text-ink-faint">
      {facts.filter(Boolean).join(' · ')}
    </p>
  );
}

export function ProviderRow({ projectId, provider, isChangeable }: RowProps) {
  const tried = useTestProvider(projectId, provider.provider_id);
  const [isEditing, setIsEditing] = useState(false);
  const result = tried.data ?? provider.test;
  return (
    <li data-testid="provider" className="flex flex-wrap items-center gap-x-3 gap-y-3 px-4 py-3">
      <div className="min-w-0 grow basis-64">
        <p className="flex flex-wrap items-center gap-2">
          <span className="font-medium break-all">{provider.name}</span>
          <Badge tone={provider.held_by === 'installation' ? 'accent' : 'calm'}>
            {heldBy[provider.held_by]}
          </Badge>
        </p>
        <Facts provider={provider} />
      </div>
      {isChangeable && (
        <div className="flex flex-wrap gap-2">
          <Button
            size="small"
            isBusy={tried.isPending}
            aria-label={`Test ${provider.name}`}
            onClick={() => tried.mutate(undefined)}
          >
            Test
          </Button>
          <Button
            size="small"
            aria-label={`Change ${provider.name}`}
            aria-expanded={isEditing}
            onClick={() => setIsEditing(!isEditing)}
          >
            Change
          </Button>
          <RemoveButton projectId={projectId} provider={provider} isChangeable />
        </div>
      )}
      {tried.isPending && (
        <p role="status" className="basis-full text-[0.93rem] text-ink-soft">
          Asking for its models and for a few words. This takes up to half a minute.
        </p>
      )}
      {tried.error && (
        <div className="basis-full">
          <ErrorNote title="It could not be tried" error={toApiError(tried.error)} />
        </div>
      )}
      {isChangeable && result && !tried.isPending && (
        <div className="basis-full">
          <TestResult test={result} />
        </div>
      )}
      {isEditing && (
        <div className="basis-full">
          <ProviderForm
            projectId={projectId}
            provider={provider}
            isAdmin={false}
            onDone={() => setIsEditing(false)}
          />
        </div>
      )}
    </li>
  );
}
