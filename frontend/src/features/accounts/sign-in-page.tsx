import { useState } from 'react';
import { toApiError } from '@/api/errors';
import { sessionEndReason } from '@/api/session';
import { Logo } from '@/components/logo';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { TextField } from '@/components/ui/field';
import { Note } from '@/components/ui/note';
import { useSignIn } from './queries';

export function SignInPage() {
  const signIn = useSignIn();
  const [username, setUsername] = useState('admin');
  const [password, setPassword] = useState('');
  const endReason = sessionEndReason();
  const error = signIn.error && toApiError(signIn.error);

  return (
    <main className="flex min-h-dvh items-start justify-center px-4 pt-[max(3rem,16vh)] pb-12">
      <div className="w-full max-w-sm">
        <Logo />
        <h1 className="mt-7 text-[1.6rem] font-semibold tracking-tight">Sign in</h1>
        <p className="mt-1.5 text-ink-soft">
          One sentence in; a program that was run and checked out.
        </p>
        <form
          className="mt-7 grid gap-4"
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
        <p className="mt-6 border-t border-line pt-4 text-[0.87rem] text-ink-faint">
          First time here? The server printed a one-time password for{' '}
          <code className="font-mono text-ink-soft">admin</code> when it started. Lost it?{' '}
          <code className="font-mono text-ink-soft">./diono admin</code> makes a new one.
        </p>
      </div>
    </main>
  );
}
