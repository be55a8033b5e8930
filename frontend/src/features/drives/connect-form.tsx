import { type FormEvent, useId, useState } from 'react';
import { toApiError } from '@/api/errors';
import type { ConnectInfo, ConnectMode, DriveLink, DriveProvider } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { SelectField, TextField } from '@/components/ui/field';
import { Note } from '@/components/ui/note';
import { modeLabels, needsAddress, openableUrl, otherOrigin } from './drive-data';
import { PendingConnect } from './pending-connect';
import { useConnect } from './queries';

interface Server {
  address: string;
  username: string;
  password: string;
}

interface ServerFieldsProps {
  id: string;
  mode: ConnectMode;
  server: Server;
  onChange: (changes: Partial<Server>) => void;
}

function ServerFields({ id, mode, server, onChange }: ServerFieldsProps) {
  return (
    <>
      <TextField
        id={`${id}-address`}
        label="Address of the server"
        placeholder="https://cloud.example.org"
        type="url"
        required
        maxLength={2000}
        value={server.address}
        onChange={(event) => onChange({ address: event.target.value })}
      />
      {mode === 'password' && (
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField
            id={`${id}-username`}
            label="User name there"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            required
            maxLength={300}
            value={server.username}
            onChange={(event) => onChange({ username: event.target.value })}
          />
          <TextField
            id={`${id}-password`}
            label="App password"
            hint="Make one for Diono in the server’s settings."
            type="password"
            autoComplete="off"
            required
            maxLength={1000}
            value={server.password}
            onChange={(event) => onChange({ password: event.target.value })}
          />
        </div>
      )}
    </>
  );
}

/** A redirect comes back to one address only; the browser must be there already. */
function WrongPlace({ provider, mode }: { provider: DriveProvider; mode: ConnectMode }) {
  const home = otherOrigin(provider.redirect_uri, window.location.origin);
  if (mode !== 'redirect' || !home) return null;
  return (
    <Note tone="warn">
      {provider.title} sends you back to {home}. Open Diono there first.
    </Note>
  );
}

interface ConnectFormProps {
  provider: DriveProvider;
  onLinked: (link: DriveLink) => void;
  onCancel: () => void;
}

/** Links a drive in one of the ways that work on this server. */
export function ConnectForm({ provider, onLinked, onCancel }: ConnectFormProps) {
  const id = useId();
  const connect = useConnect(provider.name);
  const [mode, setMode] = useState<ConnectMode>(provider.modes[0] ?? 'redirect');
  const [server, setServer] = useState<Server>({ address: '', username: '', password: '' });
  const go = (info: ConnectInfo) => {
    if (info.link) {
      onLinked(info.link);
      return;
    }
    const url = openableUrl(info.url);
    if (info.mode === 'redirect' && url) window.location.assign(url);
  };
  const begin = (event: FormEvent) => {
    event.preventDefault();
    connect.mutate({ mode, ...server }, { onSuccess: go });
  };
  if (connect.data && !connect.data.link && connect.data.mode !== 'redirect') {
    return (
      <div className="grid gap-4">
        <PendingConnect connect={connect.data} onLinked={onLinked} />
        <div>
          <Button onClick={onCancel}>Cancel</Button>
        </div>
      </div>
    );
  }
  return (
    <form aria-label={`Connect ${provider.title}`} className="grid gap-4" onSubmit={begin}>
      {connect.error && (
        <ErrorNote title="The connection was not begun" error={toApiError(connect.error)} />
      )}
      {provider.scopes && (
        <p className="text-[0.93rem] text-ink-soft">
          It asks you to allow: <span className="break-words">{provider.scopes}</span>
        </p>
      )}
      <SelectField
        id={`${id}-mode`}
        label="How"
        value={mode}
        onChange={(event) => {
          const found = provider.modes.find((it) => it === event.target.value);
          if (found) setMode(found);
        }}
      >
        {provider.modes.map((it) => (
          <option key={it} value={it}>
            {modeLabels[it]}
          </option>
        ))}
      </SelectField>
      {needsAddress(mode) && (
        <ServerFields
          id={id}
          mode={mode}
          server={server}
          onChange={(changes) => setServer({ ...server, ...changes })}
        />
      )}
      <WrongPlace provider={provider} mode={mode} />
      <div className="flex flex-wrap gap-2">
        <Button type="submit" tone="primary" isBusy={connect.isPending}>
          Connect
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
