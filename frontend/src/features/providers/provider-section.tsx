import { Plug, Plus } from 'lucide-react';
import { useState } from 'react';
import { SectionHead } from '@/components/page-head';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { ProviderForm } from './provider-form';
import { ProviderRow } from './provider-row';
import { useProviders } from './queries';

interface ProviderSectionProps {
  title: string;
  lead: string;
  /** Null: one's own and the installation's. */
  projectId: string | null;
  /** Admins change the installation's too. */
  isAdmin: boolean;
  isReadOnly: boolean;
}

/** Language-model providers: added, tried, changed, removed. */
export function ProviderSection(props: ProviderSectionProps) {
  const { title, lead, projectId, isAdmin, isReadOnly } = props;
  const { data, error, refetch } = useProviders(projectId);
  const [isAdding, setIsAdding] = useState(false);
  return (
    <section aria-labelledby="providers">
      <SectionHead
        id="providers"
        title={title}
        action={
          !isAdding &&
          !isReadOnly && (
            <Button onClick={() => setIsAdding(true)}>
              <Plus aria-hidden /> New provider
            </Button>
          )
        }
      >
        {lead}
      </SectionHead>
      {isAdding && (
        <ProviderForm
          projectId={projectId}
          provider={null}
          isAdmin={isAdmin}
          onDone={() => setIsAdding(false)}
        />
      )}
      {!data && !error && <LoadingNote label="Reading the providers" />}
      {error && (
        <ErrorNote
          title="Could not read the providers"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {data && (
        <div className="rounded-xl border border-line bg-surface">
          {data.items.length === 0 ? (
            <EmptyState icon={<Plug />} title="No providers yet">
              Add one, and its models can be chosen beside those of this machine.
            </EmptyState>
          ) : (
            <ul className="divide-y divide-line">
              {data.items.map((provider) => (
                <ProviderRow
                  key={provider.provider_id}
                  projectId={projectId}
                  provider={provider}
                  isChangeable={!isReadOnly && (isAdmin || provider.held_by !== 'installation')}
                />
              ))}
            </ul>
          )}
        </div>
      )}
    </section>
  );
}
