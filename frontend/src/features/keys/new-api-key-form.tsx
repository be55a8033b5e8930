import { useEffect, useRef, useState } from 'react';
import { toApiError } from '@/api/errors';
import type { CreateKey, NewApiKey } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { CheckField, SelectField, TextField } from '@/components/ui/field';
import { useCreateApiKey } from './queries';

type Scope = CreateKey['scopes'][number];

const NAME_LENGTH = 80;
const lifetimes = [7, 30, 90, 365];
const scopes: { scope: Scope; label: string; hint: string }[] = [
  { scope: 'chat', label: 'Chat', hint: 'Talk to models and to the agent.' },
  { scope: 'tasks', label: 'Tasks', hint: 'Let the team build and solve.' },
  { scope: 'read', label: 'Read', hint: 'List models, see figures and past tasks.' },
  { scope: 'files', label: 'Files', hint: 'Upload, read and search documents and files.' },
];

interface NewApiKeyFormProps {
  onIssued: (key: NewApiKey) => void;
  onCancel: () => void;
}

export function NewApiKeyForm({ onIssued, onCancel }: NewApiKeyFormProps) {
  const create = useCreateApiKey();
  const first = useRef<HTMLInputElement>(null);
  // The button that opened the form is gone, and the focus with it.
  useEffect(() => first.current?.focus(), []);
  const [name, setName] = useState('');
  const [days, setDays] = useState<number | null>(90);
  const [wanted, setWanted] = useState<readonly Scope[]>(['chat', 'tasks', 'read']);
  return (
    <form
      aria-label="New API key"
      className="mb-4 grid gap-5 rounded-xl border border-line-strong bg-surface p-4 sm:p-5"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate(
          { name: name.trim(), scopes: [...wanted], expires_in_days: days },
          { onSuccess: onIssued },
        );
      }}
    >
      {create.error && <ErrorNote title="The key was not made" error={toApiError(create.error)} />}
      <div className="grid gap-5 sm:grid-cols-2">
        <TextField
          id="api-key-name"
          label="Name"
          hint="To know it again."
          placeholder="Open WebUI"
          required
          maxLength={NAME_LENGTH}
          ref={first}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <SelectField
          id="api-key-expiry"
          label="Works for"
          hint="You can revoke it at any time."
          value={days ?? ''}
          onChange={(event) => setDays(event.target.value ? Number(event.target.value) : null)}
        >
          {lifetimes.map((it) => (
            <option key={it} value={it}>
              {it} days
            </option>
          ))}
          <option value="">Until it is revoked</option>
        </SelectField>
      </div>
      <fieldset className="grid gap-2.5">
        <legend className="mb-1.5 text-[0.87rem] font-medium">What it may do</legend>
        {scopes.map(({ scope, label, hint }) => (
          <CheckField
            key={scope}
            id={`api-key-scope-${scope}`}
            label={label}
            hint={hint}
            checked={wanted.includes(scope)}
            onChange={(event) =>
              setWanted(
                event.target.checked ? [...wanted, scope] : wanted.filter((it) => it !== scope),
              )
            }
          />
        ))}
      </fieldset>
      <div className="flex flex-wrap gap-2">
        <Button
          type="submit"
          tone="primary"
          isBusy={create.isPending}
          disabled={wanted.length === 0 || name.trim() === ''}
        >
          Create key
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
