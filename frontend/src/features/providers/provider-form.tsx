import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { toApiError } from '@/api/errors';
import type { LlmProvider } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { CheckField, SelectField, TextArea, TextField } from '@/components/ui/field';
import { changesOf, draftOf, kinds, type ProviderDraft, wantedOf } from './provider-data';
import { useAddProvider, useChangeProvider } from './queries';

const NAME_PATTERN = '[a-z0-9][a-z0-9\\-]{0,38}';

interface FieldsProps {
  id: string;
  draft: ProviderDraft;
  onChange: (changes: Partial<ProviderDraft>) => void;
}

function NameFields({ id, draft, onChange }: FieldsProps) {
  const first = useRef<HTMLInputElement>(null);
  // The button that opened the form is gone, and the focus with it.
  useEffect(() => first.current?.focus(), []);
  return (
    <div className="grid gap-5 sm:grid-cols-2">
      <TextField
        id={`${id}-name`}
        label="Name"
        hint="Small letters, digits and dashes. Its models are then called NAME/MODEL."
        placeholder="work"
        required
        pattern={NAME_PATTERN}
        autoCapitalize="none"
        spellCheck={false}
        ref={first}
        value={draft.name}
        onChange={(event) => onChange({ name: event.target.value })}
      />
      <SelectField
        id={`${id}-kind`}
        label="Kind"
        value={draft.kind}
        onChange={(event) => {
          const found = kinds.find(({ kind }) => kind === event.target.value);
          if (found) onChange({ kind: found.kind });
        }}
      >
        {kinds.map(({ kind, label }) => (
          <option key={kind} value={kind}>
            {label}
          </option>
        ))}
      </SelectField>
    </div>
  );
}

interface AccessProps extends FieldsProps {
  provider: LlmProvider | null;
}

function AccessFields({ id, draft, onChange, provider }: AccessProps) {
  const hasKey = provider?.has_key === true;
  return (
    <>
      <TextField
        id={`${id}-address`}
        label="Address"
        hint={
          draft.kind === 'ollama'
            ? 'It must be reachable from the internet, or be allowed by who runs this server.'
            : 'Empty: the provider’s own. A new address needs the key anew.'
        }
        type="url"
        maxLength={500}
        placeholder={kinds.find(({ kind }) => kind === draft.kind)?.address}
        value={draft.address}
        onChange={(event) => onChange({ address: event.target.value })}
      />
      <TextField
        id={`${id}-key`}
        label="Key"
        hint={
          hasKey
            ? `There is one (${provider.key_hint}). Leave this empty to keep it.`
            : 'Kept sealed; it is never shown again.'
        }
        type="password"
        autoComplete="off"
        maxLength={4000}
        disabled={draft.isKeyRemoved}
        value={draft.key}
        onChange={(event) => onChange({ key: event.target.value })}
      />
      {hasKey && (
        <CheckField
          id={`${id}-no-key`}
          label="Remove the key"
          checked={draft.isKeyRemoved}
          onChange={(event) => onChange({ isKeyRemoved: event.target.checked })}
        />
      )}
      <TextArea
        id={`${id}-models`}
        label="Models to offer"
        hint="One a line; * stands for any text. Empty: all."
        rows={2}
        placeholder="qwen/*"
        spellCheck={false}
        value={draft.patterns}
        onChange={(event) => onChange({ patterns: event.target.value })}
      />
    </>
  );
}

interface ProviderFormProps {
  projectId: string | null;
  /** Null: a new one. */
  provider: LlmProvider | null;
  /** Whether it may be added for everybody. */
  isAdmin: boolean;
  onDone: () => void;
}

export function ProviderForm({ projectId, provider, isAdmin, onDone }: ProviderFormProps) {
  const id = useId();
  const add = useAddProvider(projectId);
  const change = useChangeProvider(projectId, provider?.provider_id ?? '');
  const [draft, setDraft] = useState(() => draftOf(provider));
  const [isForAll, setIsForAll] = useState(false);
  const error = add.error ?? change.error;
  const edit = (changes: Partial<ProviderDraft>) => setDraft({ ...draft, ...changes });
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (provider) change.mutate(changesOf(provider, draft), { onSuccess: onDone });
    else add.mutate({ wanted: wantedOf(draft), isForAll }, { onSuccess: onDone });
  };
  return (
    <form
      aria-label={provider ? `Change ${provider.name}` : 'New provider'}
      className="mb-4 grid gap-5 rounded-xl border border-line-strong bg-surface p-4 sm:p-5"
      onSubmit={save}
    >
      {error && <ErrorNote title="It was not saved" error={toApiError(error)} />}
      {!provider && <NameFields id={id} draft={draft} onChange={edit} />}
      <AccessFields id={id} draft={draft} onChange={edit} provider={provider} />
      {!provider && isAdmin && projectId === null && (
        <CheckField
          id={`${id}-all`}
          label="For everybody on this server"
          hint="Others use its models and do not see its address."
          checked={isForAll}
          onChange={(event) => setIsForAll(event.target.checked)}
        />
      )}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" tone="primary" isBusy={add.isPending || change.isPending}>
          {provider ? 'Save' : 'Add provider'}
        </Button>
        <Button onClick={onDone}>Cancel</Button>
      </div>
    </form>
  );
}
