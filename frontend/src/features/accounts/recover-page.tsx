import { useState } from 'react';
import { Link } from 'react-router';
import { toApiError } from '@/api/errors';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { TextField } from '@/components/ui/field';
import { Note } from '@/components/ui/note';
import { AuthFrame, authFormClass, authLinkClass } from './auth-frame';
import { PasswordFields } from './password-fields';
import { useAskRecovery, useFinishRecovery, useSignInOptions } from './queries';
import { useLinkSecret } from './secret';

function SetPassword({ secret }: { secret: string }) {
  const finish = useFinishRecovery();
  const [password, setPassword] = useState('');
  if (finish.isSuccess) {
    return (
      <Note title="Your new password is set" className="mt-7">
        You were signed out everywhere.{' '}
        <Link to="/" className={authLinkClass}>
          Sign in
        </Link>
      </Note>
    );
  }
  return (
    <form
      className={authFormClass}
      aria-label="New password"
      onSubmit={(event) => {
        event.preventDefault();
        finish.mutate({ secret, new_password: password });
      }}
    >
      {finish.error && (
        <ErrorNote title="The password was not set" error={toApiError(finish.error)} />
      )}
      <PasswordFields label="New password" onChange={setPassword} />
      <Button
        type="submit"
        tone="primary"
        className="mt-1 h-10"
        isBusy={finish.isPending}
        disabled={!password}
      >
        Set the password
      </Button>
    </form>
  );
}

function AskForLink() {
  const options = useSignInOptions();
  const ask = useAskRecovery();
  const [login, setLogin] = useState('');
  if (options.data && !options.data.is_mail_on) {
    return (
      <Note title="This installation sends no mail" className="mt-7">
        Ask an admin for a link that sets a new password. On the machine itself,{' '}
        <code className="font-mono text-ink">./diono admin reset-password NAME</code> does it.
      </Note>
    );
  }
  if (ask.data) {
    return (
      <Note title="Look into your mail" className="mt-7">
        {ask.data.detail}
      </Note>
    );
  }
  return (
    <form
      className={authFormClass}
      aria-label="Lost password"
      onSubmit={(event) => {
        event.preventDefault();
        ask.mutate(login.trim());
      }}
    >
      {ask.error && <ErrorNote title="Nothing was sent" error={toApiError(ask.error)} />}
      <TextField
        id="login"
        label="User name or e-mail address"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        value={login}
        onChange={(event) => setLogin(event.target.value)}
      />
      <Button type="submit" tone="primary" className="mt-1 h-10" isBusy={ask.isPending}>
        Send me a link
      </Button>
    </form>
  );
}

/** A lost password: ask for a link, or use the one that came. */
export function RecoverPage() {
  const secret = useLinkSecret();
  return (
    <AuthFrame title={secret ? 'Choose a new password' : 'Lost your password?'}>
      {secret ? <SetPassword secret={secret} /> : <AskForLink />}
      <p className="mt-6 border-t border-line pt-4 text-[0.87rem] text-ink-faint">
        <Link to="/" className={authLinkClass}>
          Back to the sign-in
        </Link>
      </p>
    </AuthFrame>
  );
}
