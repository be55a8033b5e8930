import { useId, useState } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { DriveProvider } from '@/api/types';
import { CopyButton } from '@/components/copy-button';
import { SectionHead } from '@/components/page-head';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { ErrorNote } from '@/components/ui/error-note';
import { TextField } from '@/components/ui/field';
import { LoadingNote } from '@/components/ui/spinner';
import { useDrives, useRemoveClient, useSetClient } from './queries';

const TENANT_PROVIDER = 'onedrive';
const emptyClient = { client_id: '', client_secret: '', tenant: '' };

interface ClientFormProps {
  provider: DriveProvider;
  onDone: () => void;
}

function ClientForm({ provider, onDone }: ClientFormProps) {
  const id = useId();
  const set = useSetClient(provider.name);
  const [client, setClient] = useState(emptyClient);
  return (
    <form
      aria-label={`Client at ${provider.title}`}
      className="grid basis-full gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        set.mutate(client, { onSuccess: onDone });
      }}
    >
      {set.error && <ErrorNote title="It was not saved" error={toApiError(set.error)} />}
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          id={`${id}-id`}
          label="Client id"
          required
          autoComplete="off"
          spellCheck={false}
          maxLength={300}
          value={client.client_id}
          onChange={(event) => setClient({ ...client, client_id: event.target.value.trim() })}
        />
        <TextField
          id={`${id}-secret`}
          label="Client secret"
          hint="Kept sealed. Empty: a public client."
          type="password"
          autoComplete="off"
          maxLength={2000}
          value={client.client_secret}
          onChange={(event) => setClient({ ...client, client_secret: event.target.value.trim() })}
        />
        {provider.name === TENANT_PROVIDER && (
          <TextField
            id={`${id}-tenant`}
            label="Tenant"
            hint="Empty: all accounts."
            pattern="[A-Za-z0-9.\-]*"
            maxLength={100}
            value={client.tenant}
            onChange={(event) => setClient({ ...client, tenant: event.target.value.trim() })}
          />
        )}
      </div>
      <div className="flex flex-wrap gap-2">
        <Button type="submit" tone="primary" isBusy={set.isPending} disabled={!client.client_id}>
          Save
        </Button>
        <Button onClick={onDone}>Cancel</Button>
      </div>
    </form>
  );
}

function RedirectAddress({ provider }: { provider: DriveProvider }) {
  if (!provider.redirect_uri) {
    return (
      <p className="text-[0.87rem] text-ink-faint">
        Without DIONO_PUBLIC_URL people connect by a code.
      </p>
    );
  }
  return (
    <p className="flex flex-wrap items-center gap-2 text-[0.87rem] text-ink-faint">
      <span className="min-w-0 break-all">Register there: {provider.redirect_uri}</span>
      <CopyButton text={provider.redirect_uri} label="the redirect address" />
    </p>
  );
}

function ClientRow({ provider }: { provider: DriveProvider }) {
  const remove = useRemoveClient(provider.name);
  const [isEditing, setIsEditing] = useState(false);
  return (
    <li
      data-testid="drive-client"
      className="flex flex-wrap items-center gap-x-3 gap-y-3 px-4 py-3"
    >
      <div className="grid min-w-0 grow basis-64 gap-1">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          {provider.title}
          <Badge tone={provider.has_client ? 'good' : 'calm'}>
            {provider.has_client ? 'set up' : 'not set up'}
          </Badge>
        </p>
        <RedirectAddress provider={provider} />
      </div>
      <Button
        size="small"
        aria-expanded={isEditing}
        aria-label={`Enter client at ${provider.title}`}
        onClick={() => setIsEditing(!isEditing)}
      >
        Enter client
      </Button>
      {provider.has_client && (
        <ConfirmDialog
          title={`Forget the client at ${provider.title}?`}
          confirmLabel="Forget it"
          dismissLabel="Keep it"
          onConfirm={() =>
            remove.mutate(undefined, {
              onError: (error) =>
                void toast.error('It is still there', { description: toApiError(error).detail }),
            })
          }
          trigger={
            <Button
              size="small"
              tone="danger"
              isBusy={remove.isPending}
              aria-label={`Forget the client at ${provider.title}`}
            >
              Forget
            </Button>
          }
        >
          Drives that were linked with it stop working.
        </ConfirmDialog>
      )}
      {isEditing && <ClientForm provider={provider} onDone={() => setIsEditing(false)} />}
    </li>
  );
}

/** The clients that an admin registered at the providers. */
export function ClientSection() {
  const { data, error, refetch } = useDrives();
  return (
    <section aria-labelledby="drive-clients">
      <SectionHead id="drive-clients" title="Cloud drives">
        Register Diono at a provider and enter the client here; then people can link their drives.
      </SectionHead>
      {!data && !error && <LoadingNote label="Reading the providers" />}
      {error && (
        <ErrorNote title="Could not read them" error={error} onRetry={() => void refetch()} />
      )}
      {data && (
        <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
          {data.providers
            .filter((provider) => provider.needs_client)
            .map((provider) => (
              <ClientRow key={provider.name} provider={provider} />
            ))}
        </ul>
      )}
    </section>
  );
}
