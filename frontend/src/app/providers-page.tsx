import { PageHead } from '@/components/page-head';
import { ErrorNote } from '@/components/ui/error-note';
import { LoadingNote } from '@/components/ui/spinner';
import { useMe } from '@/features/accounts/queries';
import { ProviderSection } from '@/features/providers/provider-section';

export function ProvidersPage() {
  const { data, error, refetch } = useMe();
  return (
    <div className="mx-auto max-w-4xl px-4 pt-8 pb-16 sm:px-8 sm:pt-10">
      <PageHead title="Providers">
        Language models beyond this machine. What you ask them leaves it.
      </PageHead>
      {!data && !error && <LoadingNote label="Reading your account" />}
      {error && (
        <ErrorNote
          title="Could not read your account"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {data && (
        <ProviderSection
          title="Your providers"
          lead="Yours come first where no model is named, then those for everybody."
          projectId={null}
          isAdmin={data.is_admin}
          isReadOnly={data.role === 'viewer'}
        />
      )}
    </div>
  );
}
