import { toApiError } from '@/api/errors';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { isSafeAddress, keepBinding } from './outside';
import { useSignInOptions, useStartOutside } from './queries';

/** Leads to the identity provider that the operator set up, if there is one. */
export function OutsideButton({ invitation }: { invitation: string | null }) {
  const options = useSignInOptions();
  const start = useStartOutside();
  const provider = options.data?.oidc;
  if (!provider) return null;
  return (
    <div className="mt-4 grid gap-3">
      {start.error && <ErrorNote title="Could not go there" error={toApiError(start.error)} />}
      <Button
        className="h-10"
        isBusy={start.isPending}
        onClick={() =>
          start.mutate(invitation, {
            onSuccess: ({ url, binding }) => {
              if (!isSafeAddress(url)) return;
              keepBinding(binding);
              window.location.assign(url);
            },
          })
        }
      >
        Continue with {provider.title}
      </Button>
    </div>
  );
}
