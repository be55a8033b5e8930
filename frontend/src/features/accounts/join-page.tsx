import { useState } from 'react';
import { Link } from 'react-router';
import { toApiError } from '@/api/errors';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { TextField } from '@/components/ui/field';
import { Note } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { AuthFrame, authFormClass, authLinkClass } from './auth-frame';
import { OutsideButton } from './outside-button';
import { PasswordFields } from './password-fields';
import { useRegister, useSignInOptions } from './queries';
import { useLinkSecret } from './secret';

function JoinForm({ invitation }: { invitation: string | null }) {
  const register = useRegister();
  const [username, setUsername] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  if (register.data) {
    return (
      <div className="mt-7 grid gap-4">
        <Note title="Nearly there">{register.data.detail}</Note>
        <Link to="/" className={authLinkClass}>
          Sign in
        </Link>
      </div>
    );
  }
  return (
    <form
      className={authFormClass}
      aria-label="New account"
      onSubmit={(event) => {
        event.preventDefault();
        register.mutate({
          username: username.trim(),
          password,
          email: email.trim() || null,
          invitation,
        });
      }}
    >
      {register.error && (
        <ErrorNote title="The account was not made" error={toApiError(register.error)} />
      )}
      <TextField
        id="username"
        label="User name"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        maxLength={64}
        value={username}
        onChange={(event) => setUsername(event.target.value)}
      />
      <TextField
        id="email"
        label="E-mail address (if you like)"
        hint="To get back in if the password is lost."
        type="email"
        autoComplete="email"
        maxLength={254}
        value={email}
        onChange={(event) => setEmail(event.target.value)}
      />
      <PasswordFields onChange={setPassword} />
      <Button
        type="submit"
        tone="primary"
        className="mt-1 h-10"
        isBusy={register.isPending}
        disabled={!password}
      >
        Make the account
      </Button>
    </form>
  );
}

/** A new account: by an invitation's link, or for anyone where the admin opened it. */
export function JoinPage() {
  const secret = useLinkSecret();
  const options = useSignInOptions();
  const isOpen = secret !== '' || options.data?.registration === 'open';
  return (
    <AuthFrame title="Make an account">
      {options.isPending && <LoadingNote label="Asking the server" className="mt-7" />}
      {options.data && !isOpen && (
        <div className="mt-7 grid gap-4">
          <Note title="Accounts are made by invitation here">
            Ask an admin of this installation for a link.
          </Note>
        </div>
      )}
      {options.data && isOpen && (
        <>
          <JoinForm invitation={secret || null} />
          <OutsideButton invitation={secret || null} />
        </>
      )}
      <p className="mt-6 border-t border-line pt-4 text-[0.87rem] text-ink-faint">
        You have one already?{' '}
        <Link to="/" className={authLinkClass}>
          Sign in
        </Link>
      </p>
    </AuthFrame>
  );
}
