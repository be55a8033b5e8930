import { useState } from 'react';
import { Link } from 'react-router';
import { toApiError } from '@/api/errors';
import { sessionEndReason } from '@/api/session';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { TextField } from '@/components/ui/field';
import { Note } from '@/components/ui/note';
import { AuthFrame, authFormClass, authLinkClass } from './auth-frame';
import { OutsideButton } from './outside-button';
import { useSignIn, useSignInOptions } from './queries';

function OtherWays() {
  const options = useSignInOptions();
  return (
    <div className="mt-6 grid gap-2 border-t border-line pt-4 text-[0.87rem] text-ink-faint">
      <p className="flex flex-wrap gap-x-5 gap-y-1">
        <Link to="/recover" className={authLinkClass}>
          Lost your password?
        </Link>
        {options.data?.registration === 'open' && (
          <Link to="/join" className={authLinkClass}>
            Make an account
          </Link>
        )}
      </p>
      <p>
        First time here? The server printed a one-time password for{' '}
        <code className="font-mono text-ink-soft">admin</code> when it started.
      </p>
    </div>
  );
}

export function SignInPage() {
  const signIn = useSignIn();
  const [username, setUsername] = useState('admin');
  const [password, setPassword] = useState('');
  const endReason = sessionEndReason();
  const error = signIn.error && toApiError(signIn.error);

  return (
    <AuthFrame title="Sign in" lead="One sentence in; a program that was run and checked out.">
      <form
        className={authFormClass}
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate({ username: username.trim(), password });
        }}
      >
        {endReason && !error && <Note>{endReason}</Note>}
        {error && (
          <ErrorNote
            title={error.status === 401 ? 'Wrong user name or password' : 'Could not sign in'}
            error={error}
          />
        )}
        <TextField
          id="username"
          label="User name"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          value={username}
          onChange={(event) => setUsername(event.target.value)}
        />
        <TextField
          id="password"
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          required
          aria-invalid={error?.status === 401 || undefined}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <Button type="submit" tone="primary" className="mt-1 h-10" isBusy={signIn.isPending}>
          {signIn.isPending ? 'Signing in' : 'Sign in'}
        </Button>
      </form>
      <OutsideButton invitation={null} />
      <OtherWays />
    </AuthFrame>
  );
}
