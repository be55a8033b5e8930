import { Link } from 'react-router';
import { toApiError } from '@/api/errors';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { Note } from '@/components/ui/note';
import { AuthFrame, authLinkClass } from './auth-frame';
import { useVerifyEmail } from './queries';
import { useLinkSecret } from './secret';

/** A click, not the visit, confirms: programs that look into mail follow links too. */
export function VerifyEmailPage() {
  const secret = useLinkSecret();
  const verify = useVerifyEmail();
  return (
    <AuthFrame title="Is this your address?">
      <div className="mt-7 grid gap-4">
        {verify.error && (
          <ErrorNote title="The address was not confirmed" error={toApiError(verify.error)} />
        )}
        {verify.isSuccess ? (
          <Note title="Your address is confirmed">
            <Link to="/" className={authLinkClass}>
              Go on
            </Link>
          </Note>
        ) : secret ? (
          <Button
            tone="primary"
            className="h-10"
            isBusy={verify.isPending}
            onClick={() => verify.mutate(secret)}
          >
            Yes, it is mine
          </Button>
        ) : (
          <Note tone="warn" title="This link is not complete">
            Open it again from the mail, or ask for a new one on your account’s page.
          </Note>
        )}
      </div>
    </AuthFrame>
  );
}
