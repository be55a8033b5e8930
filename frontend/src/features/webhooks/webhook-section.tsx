import { Plus, Webhook } from 'lucide-react';
import { useState } from 'react';
import type { NewWebhook } from '@/api/types';
import { IssuedSecret } from '@/components/keys/issued-secret';
import { SectionHead } from '@/components/page-head';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { useWebhooks } from './queries';
import { WebhookForm } from './webhook-form';
import { WebhookRow } from './webhook-row';

interface WebhookSectionProps {
  lead: string;
  /** Null: of all projects; for admins. */
  projectId: string | null;
  isReadOnly?: boolean;
}

/** Who is told when something happens. */
export function WebhookSection({ lead, projectId, isReadOnly = false }: WebhookSectionProps) {
  const { data, error, refetch } = useWebhooks(projectId);
  const [isAdding, setIsAdding] = useState(false);
  const [issued, setIssued] = useState<NewWebhook | null>(null);
  const show = (webhook: NewWebhook) => {
    setIssued(webhook);
    setIsAdding(false);
  };
  return (
    <section aria-labelledby="webhooks">
      <SectionHead
        id="webhooks"
        title="Webhooks"
        action={
          !isAdding &&
          !isReadOnly && (
            <Button onClick={() => setIsAdding(true)}>
              <Plus aria-hidden /> New webhook
            </Button>
          )
        }
      >
        {lead}
      </SectionHead>
      {isAdding && (
        <WebhookForm projectId={projectId} onAdded={show} onCancel={() => setIsAdding(false)} />
      )}
      {issued && (
        <IssuedSecret
          key={issued.secret}
          title={`The secret of ${issued.name}`}
          warning="It is shown this once. With it the receiver checks that a message is from here."
          secret={issued.secret}
          testId="webhook-secret"
          onClose={() => setIssued(null)}
        >
          <p className="text-[0.93rem] text-ink-soft">
            Messages are signed as Standard Webhooks says; its libraries check them.
          </p>
        </IssuedSecret>
      )}
      {!data && !error && <LoadingNote label="Reading the webhooks" />}
      {error && (
        <ErrorNote
          title="Could not read the webhooks"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {data && (
        <div className="rounded-xl border border-line bg-surface">
          {data.items.length === 0 ? (
            <EmptyState icon={<Webhook />} title="No webhooks yet">
              Add one to tell a chat room or another program when work is done.
            </EmptyState>
          ) : (
            <ul className="divide-y divide-line">
              {data.items.map((webhook) => (
                <WebhookRow
                  key={webhook.webhook_id}
                  projectId={projectId}
                  webhook={webhook}
                  isReadOnly={isReadOnly}
                  onSecret={show}
                />
              ))}
            </ul>
          )}
        </div>
      )}
    </section>
  );
}
