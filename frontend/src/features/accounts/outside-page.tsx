import { useEffect, useRef } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { toApiError } from '@/api/errors';
import { ErrorNote } from '@/components/ui/error-note';
import { Note } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { AuthFrame, authLinkClass } from './auth-frame';
import { takeBinding } from './outside';
import { useFinishOutside } from './queries';

/** Where the identity provider sends the browser back to. */
export function OutsidePage() {
  const [params] = useSearchParams();
  const navigate = useNavigate();
  const finish = useFinishOutside();
  const hasBegun = useRef(false);
  const code = params.get('code') ?? '';
  const state = params.get('state') ?? '';
  useEffect(() => {
    // The code is good once; React runs effects twice while developing.
    if (!code || hasBegun.current) return;
    hasBegun.current = true;
    finish.mutate(
      { code, state, binding: takeBinding() },
      { onSuccess: () => void navigate('/', { replace: true }) },
    );
  }, [code, state, finish, navigate]);
  const refusal = params.get('error_description') ?? params.get('error');
  return (
    <AuthFrame title="Signing in">
      <div className="mt-7 grid gap-4">
        {code && !finish.error && <LoadingNote label="Asking who you are" />}
        {!code && (
          <Note tone="bad" title="The sign-in was not finished">
            {refusal ?? 'The provider sent no code.'}
          </Note>
        )}
        {finish.error && (
          <ErrorNote title="The sign-in was not finished" error={toApiError(finish.error)} />
        )}
        {(finish.error || !code) && (
          <Link to="/" className={authLinkClass}>
            Back to the sign-in
          </Link>
        )}
      </div>
    </AuthFrame>
  );
}
