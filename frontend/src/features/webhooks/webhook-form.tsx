import { useEffect, useId, useRef, useState } from 'react';
import { toApiError } from '@/api/errors';
import type { HookEvent, NewWebhook } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { TextField } from '@/components/ui/field';
import { EventChoice } from './event-choice';
import { useAddWebhook } from './queries';

interface WebhookFormProps {
  projectId: string | null;
  onAdded: (webhook: NewWebhook) => void;
  onCancel: () => void;
}

export function WebhookForm({ projectId, onAdded, onCancel }: WebhookFormProps) {
  const id = useId();
  const add = useAddWebhook(projectId);
  const first = useRef<HTMLInputElement>(null);
  // The button that opened the form is gone, and the focus with it.
  useEffect(() => first.current?.focus(), []);
  const [name, setName] = useState('');
  const [url, setUrl] = useState('');
  const [chosen, setChosen] = useState<HookEvent[]>([]);
  return (
    <form
      aria-label="New webhook"
      className="mb-4 grid gap-5 rounded-xl border border-line-strong bg-surface p-4 sm:p-5"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate({ name: name.trim(), url: url.trim(), events: chosen }, { onSuccess: onAdded });
      }}
    >
      {add.error && <ErrorNote title="It was not added" error={toApiError(add.error)} />}
      <div className="grid gap-5 sm:grid-cols-2">
        <TextField
          id={`${id}-name`}
          label="Name"
          placeholder="Chat room"
          required
          maxLength={80}
          ref={first}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <TextField
          id={`${id}-url`}
          label="Address"
          hint="It gets a POST with JSON, signed."
          placeholder="https://hooks.example.com/diono"
          type="url"
          required
          maxLength={2000}
          value={url}
          onChange={(event) => setUrl(event.target.value)}
        />
      </div>
      <EventChoice
        id={id}
        legend="What it is told. None chosen: everything."
        chosen={chosen}
        onChange={setChosen}
      />
      <div className="flex flex-wrap gap-2">
        <Button
          type="submit"
          tone="primary"
          isBusy={add.isPending}
          disabled={!name.trim() || !url.trim()}
        >
          Add webhook
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
