import { useState } from 'react';
import { toApiError } from '@/api/errors';
import type { Account } from '@/api/types';
import { SectionHead } from '@/components/page-head';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { TextField } from '@/components/ui/field';
import { Note } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { useMe } from '../queries';
import { useAskVerification, useChangeEmail } from './queries';

function EmailForm({ account }: { account: Account }) {
  const change = useChangeEmail();
  const verify = useAskVerification();
  const [email, setEmail] = useState(account.email ?? '');
  const isUnchanged = email.trim() === (account.email ?? '');
  const error = change.error ?? verify.error;
  return (
    <form
      aria-label="E-mail address"
      className="grid max-w-md gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate(email.trim() || null);
      }}
    >
      {error && <ErrorNote title="The address stays" error={toApiError(error)} />}
      {verify.data && <Note>{verify.data.detail}</Note>}
      <TextField
        id="own-email"
        label="E-mail address"
        hint="For a lost password and for notices. It counts once you answered a letter to it."
        type="email"
        autoComplete="email"
        maxLength={254}
        value={email}
        onChange={(event) => setEmail(event.target.value)}
      />
      <div className="flex flex-wrap items-center gap-2">
        <Button type="submit" isBusy={change.isPending} disabled={isUnchanged}>
          Save
        </Button>
        {account.email && !account.is_email_verified && isUnchanged && (
          <Button isBusy={verify.isPending} onClick={() => verify.mutate()}>
            Send me the letter
          </Button>
        )}
        {account.email && (
          <Badge tone={account.is_email_verified ? 'good' : 'warn'}>
            {account.is_email_verified ? 'Confirmed' : 'Not confirmed'}
          </Badge>
        )}
      </div>
    </form>
  );
}

export function ProfileSection() {
  const { data, error, refetch } = useMe();
  return (
    <section aria-labelledby="profile">
      <SectionHead id="profile" title="You">
        {data && (
          <>
            Signed in as <strong className="font-medium text-ink">{data.username}</strong>,{' '}
            {data.role}.
          </>
        )}
      </SectionHead>
      {data && <EmailForm key={data.email} account={data} />}
      {!data && !error && <LoadingNote label="Reading your account" />}
      {error && (
        <ErrorNote
          title="Could not read your account"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
    </section>
  );
}
