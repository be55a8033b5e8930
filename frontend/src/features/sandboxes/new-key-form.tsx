import { useEffect, useRef, useState } from 'react';
import { toApiError } from '@/api/errors';
import type { IssuedSandboxKey, NewSandboxKey } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { CheckField, SelectField, TextField } from '@/components/ui/field';
import { useCreateKey } from './queries';

type Scope = NonNullable<NewSandboxKey['scopes']>[number];

const NAME_LENGTH = 80;
const lifetimes = [
  { days: 7, label: '7 days' },
  { days: 30, label: '30 days' },
  { days: 90, label: '90 days' },
  { days: 365, label: 'A year' },
];

interface NewKeyFormProps {
  onIssued: (issued: IssuedSandboxKey) => void;
  onCancel: () => void;
}

export function NewKeyForm({ onIssued, onCancel }: NewKeyFormProps) {
  const create = useCreateKey();
  const first = useRef<HTMLInputElement>(null);
  // The button that opened the form is gone, and the focus with it.
  useEffect(() => first.current?.focus(), []);
  const [name, setName] = useState('');
  const [days, setDays] = useState<number | null>(90);
  const [scopes, setScopes] = useState<ReadonlySet<Scope>>(new Set(['sandbox', 'templates']));
  const setScope = (scope: Scope, isWanted: boolean) => {
    const changed = new Set(scopes);
    if (isWanted) changed.add(scope);
    else changed.delete(scope);
    setScopes(changed);
  };
  return (
    <form
      aria-label="New key"
      className="mb-4 grid gap-5 rounded-xl border border-line-strong bg-surface p-4 sm:p-5"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate(
          { name: name.trim(), scopes: [...scopes], expires_in_days: days },
          { onSuccess: onIssued },
        );
      }}
    >
      {create.error && <ErrorNote title="The key was not made" error={toApiError(create.error)} />}
      <div className="grid gap-5 sm:grid-cols-2">
        <TextField
          id="key-name"
          label="Name"
          hint="To tell it from your other keys."
          placeholder="my laptop"
          maxLength={NAME_LENGTH}
          ref={first}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <SelectField
          id="key-expiry"
          label="Works for"
          hint="You can revoke it at any time."
          value={days ?? ''}
          onChange={(event) => setDays(event.target.value ? Number(event.target.value) : null)}
        >
          {lifetimes.map((it) => (
            <option key={it.days} value={it.days}>
              {it.label}
            </option>
          ))}
          <option value="">Until it is revoked</option>
        </SelectField>
      </div>
      <fieldset className="grid gap-2.5">
        <legend className="mb-1.5 text-[0.87rem] font-medium">What it may do</legend>
        <CheckField
          id="key-scope-sandbox"
          label="Sandboxes"
          hint="Create, use and end your own."
          checked={scopes.has('sandbox')}
          onChange={(event) => setScope('sandbox', event.target.checked)}
        />
        <CheckField
          id="key-scope-templates"
          label="Templates"
          hint="Build and delete your own images."
          checked={scopes.has('templates')}
          onChange={(event) => setScope('templates', event.target.checked)}
        />
      </fieldset>
      <div className="flex flex-wrap gap-2">
        <Button type="submit" tone="primary" isBusy={create.isPending} disabled={scopes.size === 0}>
          Create key
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
