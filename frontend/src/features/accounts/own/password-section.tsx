import { useState } from 'react';
import { toApiError } from '@/api/errors';
import { SectionHead } from '@/components/page-head';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { TextField } from '@/components/ui/field';
import { Note } from '@/components/ui/note';
import { PasswordFields } from '../password-fields';
import { useChangePassword } from './queries';

export function PasswordSection() {
  const change = useChangePassword();
  const [old, setOld] = useState('');
  const [password, setPassword] = useState('');
  // Counts the changes: the fields begin anew after each.
  const [round, setRound] = useState(0);
  return (
    <section aria-labelledby="password">
      <SectionHead id="password" title="Password">
        A new one ends your sessions elsewhere.
      </SectionHead>
      <form
        key={round}
        aria-label="Change the password"
        className="grid max-w-sm gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate(
            { old_password: old, new_password: password },
            {
              onSuccess: () => {
                setOld('');
                setPassword('');
                setRound(round + 1);
              },
            },
          );
        }}
      >
        {change.error && <ErrorNote title="The password stays" error={toApiError(change.error)} />}
        {change.isSuccess && <Note>The new password holds from now on.</Note>}
        <TextField
          id="old-password"
          label="Present password"
          type="password"
          autoComplete="current-password"
          required
          value={old}
          onChange={(event) => setOld(event.target.value)}
        />
        <PasswordFields label="New password" onChange={setPassword} />
        <div>
          <Button type="submit" isBusy={change.isPending} disabled={!old || !password}>
            Change the password
          </Button>
        </div>
      </form>
    </section>
  );
}
