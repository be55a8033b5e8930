import { RotateCw } from 'lucide-react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { DeliveryInfo } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatAgo } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { outcomeOf, prettyBody, stateTones } from './hook-data';
import { useDeliveries, useRedeliver } from './queries';

interface LogProps {
  projectId: string | null;
  webhookId: string;
  isReadOnly: boolean;
}

function Messages({ delivery }: { delivery: DeliveryInfo }) {
  const answer = delivery.attempts.at(-1)?.answer ?? '';
  const texts = [
    { title: 'What was sent', text: prettyBody(delivery.body) },
    { title: 'What came back', text: answer },
  ];
  return (
    <details className="basis-full text-[0.87rem]">
      <summary className="text-ink-soft">What was sent and what came back</summary>
      {texts.map(
        ({ title, text }) =>
          text && (
            <pre
              key={title}
              tabIndex={0}
              aria-label={title}
              className="mt-2 max-h-60 overflow-auto rounded-lg bg-sunken p-3 font-mono text-[0.8rem] whitespace-pre-wrap"
            >
              {text}
            </pre>
          ),
      )}
      <p className="mt-1.5 font-mono text-[0.8rem] text-ink-faint">{delivery.message_id}</p>
    </details>
  );
}

function DeliveryRow({ delivery, ...log }: LogProps & { delivery: DeliveryInfo }) {
  const now = useNow(5_000);
  const redeliver = useRedeliver(log.projectId, log.webhookId);
  return (
    <li
      data-testid="delivery"
      className="flex flex-wrap items-center gap-x-3 gap-y-1.5 px-3.5 py-2.5"
    >
      <Badge tone={stateTones[delivery.state]}>{delivery.state}</Badge>
      <div className="min-w-0 grow basis-56">
        <p>
          <span className="font-mono text-[0.87rem]">{delivery.kind}</span>{' '}
          <span className="text-[0.87rem] text-ink-faint">
            {formatAgo(delivery.created_at, now)}
          </span>
        </p>
        <p className="text-[0.87rem] break-words text-ink-soft">{outcomeOf(delivery, now)}</p>
      </div>
      {!log.isReadOnly && (
        <Button
          size="small"
          isBusy={redeliver.isPending}
          aria-label={`Send again: ${delivery.kind}`}
          onClick={() =>
            redeliver.mutate(delivery.delivery_id, {
              onError: (error) =>
                void toast.error('It was not sent again', {
                  description: toApiError(error).detail,
                }),
            })
          }
        >
          <RotateCw aria-hidden /> Send again
        </Button>
      )}
      <Messages delivery={delivery} />
    </li>
  );
}

/** What a webhook was sent in the last 30 days, and what came back. */
export function DeliveryLog(props: LogProps) {
  const log = useDeliveries(props.projectId, props.webhookId);
  const deliveries = log.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="grid gap-2">
      {log.isPending && <LoadingNote label="Reading the log" />}
      {log.error && (
        <ErrorNote
          title="Could not read the log"
          error={log.error}
          onRetry={() => void log.refetch()}
        />
      )}
      {log.data && deliveries.length === 0 && (
        <p className="text-[0.93rem] text-ink-soft">Nothing was sent in the last 30 days.</p>
      )}
      {deliveries.length > 0 && (
        <ul className="divide-y divide-line rounded-lg border border-line">
          {deliveries.map((delivery) => (
            <DeliveryRow key={delivery.delivery_id} delivery={delivery} {...props} />
          ))}
        </ul>
      )}
      {log.hasNextPage && (
        <div>
          <Button
            tone="ghost"
            isBusy={log.isFetchingNextPage}
            onClick={() => void log.fetchNextPage()}
          >
            Show older
          </Button>
        </div>
      )}
    </div>
  );
}
