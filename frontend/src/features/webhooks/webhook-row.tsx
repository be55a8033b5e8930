import { useState } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { DeliveryInfo, NewWebhook, WebhookInfo } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { Note } from '@/components/ui/note';
import { DeliveryLog } from './delivery-log';
import { eventsText, outcomeOf } from './hook-data';
import { useChangeWebhook, usePing, useRemoveWebhook, useRenewSecret } from './queries';

interface RowProps {
  projectId: string | null;
  webhook: WebhookInfo;
  isReadOnly: boolean;
  onSecret: (webhook: NewWebhook) => void;
}

function failed(error: Error) {
  toast.error('That did not work', { description: toApiError(error).detail });
}

function stateOf({ is_active, problem, failing_since }: WebhookInfo) {
  if (!is_active) return <Badge tone={problem ? 'bad' : 'calm'}>switched off</Badge>;
  return failing_since ? <Badge tone="warn">failing</Badge> : <Badge tone="good">on</Badge>;
}

function RowButtons({ projectId, webhook, onSecret }: Omit<RowProps, 'isReadOnly'>) {
  const change = useChangeWebhook(projectId, webhook.webhook_id);
  const remove = useRemoveWebhook(projectId, webhook.webhook_id);
  const renew = useRenewSecret(projectId, webhook.webhook_id);
  const switchLabel = webhook.is_active ? 'Switch off' : 'Switch on';
  return (
    <>
      <Button
        size="small"
        isBusy={change.isPending}
        aria-label={`${switchLabel} ${webhook.name}`}
        onClick={() => change.mutate({ is_active: !webhook.is_active }, { onError: failed })}
      >
        {switchLabel}
      </Button>
      <ConfirmDialog
        title={`A new secret for ${webhook.name}?`}
        confirmLabel="Make a new secret"
        dismissLabel="Keep the old one"
        onConfirm={() => renew.mutate(undefined, { onSuccess: onSecret, onError: failed })}
        trigger={
          <Button
            size="small"
            isBusy={renew.isPending}
            aria-label={`New secret for ${webhook.name}`}
          >
            New secret
          </Button>
        }
      >
        What is sent from now on is signed with it; the receiver must know it.
      </ConfirmDialog>
      <ConfirmDialog
        title={`Remove ${webhook.name}?`}
        confirmLabel="Remove"
        dismissLabel="Keep it"
        onConfirm={() => remove.mutate(undefined, { onError: failed })}
        trigger={
          <Button
            size="small"
            tone="danger"
            isBusy={remove.isPending}
            aria-label={`Remove ${webhook.name}`}
          >
            Remove
          </Button>
        }
      >
        Nothing more is sent to it, and its log goes.
      </ConfirmDialog>
    </>
  );
}

function PingNote({ ping }: { ping: DeliveryInfo }) {
  const isDelivered = ping.state === 'delivered';
  return (
    <Note
      tone={isDelivered ? 'calm' : 'warn'}
      title={isDelivered ? 'The ping arrived' : 'The ping did not arrive'}
    >
      {outcomeOf(ping, Date.parse(ping.created_at))}
    </Note>
  );
}

export function WebhookRow({ projectId, webhook, isReadOnly, onSecret }: RowProps) {
  const ping = usePing(projectId, webhook.webhook_id);
  const [isLogOpen, setIsLogOpen] = useState(false);
  return (
    <li data-testid="webhook" className="flex flex-wrap items-center gap-x-3 gap-y-3 px-4 py-3">
      <div className="min-w-0 grow basis-64">
        <p className="flex flex-wrap items-center gap-2">
          <span className="font-medium break-words">{webhook.name}</span>
          {stateOf(webhook)}
        </p>
        <p className="mt-0.5 text-[0.87rem] break-all text-ink-faint">{webhook.url}</p>
        <p className="text-[0.87rem] text-ink-faint">{eventsText(webhook.events)}</p>
      </div>
      <div className="flex flex-wrap gap-2">
        {!isReadOnly && (
          <Button
            size="small"
            isBusy={ping.isPending}
            aria-label={`Test ${webhook.name}`}
            onClick={() => ping.mutate(undefined, { onError: failed })}
          >
            Test
          </Button>
        )}
        <Button
          size="small"
          aria-expanded={isLogOpen}
          aria-label={`Log of ${webhook.name}`}
          onClick={() => setIsLogOpen(!isLogOpen)}
        >
          Log
        </Button>
        {!isReadOnly && <RowButtons projectId={projectId} webhook={webhook} onSecret={onSecret} />}
      </div>
      {(webhook.problem || ping.data) && (
        <div className="grid basis-full gap-2">
          {webhook.problem && (
            <Note tone="bad" title="It was switched off">
              {webhook.problem}
            </Note>
          )}
          {ping.data && <PingNote ping={ping.data} />}
        </div>
      )}
      {isLogOpen && (
        <div className="basis-full">
          <DeliveryLog
            projectId={projectId}
            webhookId={webhook.webhook_id}
            isReadOnly={isReadOnly}
          />
        </div>
      )}
    </li>
  );
}
