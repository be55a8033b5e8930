import { Box, Snowflake } from 'lucide-react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { RunningSandbox } from '@/api/types';
import { SectionHead } from '@/components/page-head';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatAgo, formatBytes, formatUntil } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { useEndSandbox, useSandboxes } from './queries';

function StateBadge({ state }: { state: string }) {
  if (state === 'running') {
    return (
      <Badge tone="good">
        <span aria-hidden className="size-1.75 rounded-full bg-good" /> Running
      </Badge>
    );
  }
  return (
    <Badge tone="calm">
      <Snowflake aria-hidden /> {state.charAt(0).toUpperCase() + state.slice(1)}
    </Badge>
  );
}

function EndButton({ sandbox }: { sandbox: RunningSandbox }) {
  const end = useEndSandbox();
  const isOfProject = Boolean(sandbox.metadata?.['project']);
  return (
    <ConfirmDialog
      title="End this sandbox?"
      confirmLabel="End sandbox"
      dismissLabel="Keep it"
      onConfirm={() =>
        end.mutate(sandbox.sandbox_id, {
          onError: (error) =>
            toast.error('The sandbox was not ended', { description: toApiError(error).detail }),
        })
      }
      trigger={
        <Button
          tone="danger"
          size="small"
          isBusy={end.isPending}
          aria-label={`End ${sandbox.template} ${sandbox.sandbox_id}`}
        >
          End
        </Button>
      }
    >
      {isOfProject
        ? 'Its programs stop at once. The project’s files stay, and a new sandbox opens at the next use.'
        : 'Its programs stop at once and its files are deleted.'}
    </ConfirmDialog>
  );
}

function Fact({ name, children }: { name: string; children: string }) {
  return (
    <div className="flex gap-1.5">
      <dt>{name}</dt>
      <dd className="text-ink-soft tabular-nums">{children}</dd>
    </div>
  );
}

function SandboxRow({ sandbox, now }: { sandbox: RunningSandbox; now: number }) {
  const memory = formatBytes(sandbox.memory_mb * 1_000_000);
  return (
    <li className="flex flex-wrap items-center gap-x-5 gap-y-2.5 px-4 py-3.5" data-testid="sandbox">
      <div className="min-w-0 grow basis-64">
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <span className="font-medium">{sandbox.template}</span>
          <StateBadge state={sandbox.state} />
          <span className="min-w-0 truncate font-mono text-[0.8rem] text-ink-faint">
            {sandbox.sandbox_id}
          </span>
        </p>
        <dl className="mt-1.5 flex flex-wrap gap-x-5 gap-y-1 text-[0.87rem] text-ink-faint">
          <Fact name="Started">{formatAgo(sandbox.started_at, now)}</Fact>
          <Fact name="Ends">{formatUntil(sandbox.ends_at, now)}</Fact>
          <Fact name="CPU">{`${sandbox.cpu_count}`}</Fact>
          <Fact name="Memory">{memory}</Fact>
          {sandbox.metadata?.['project'] && <Fact name="For">one of your builds</Fact>}
        </dl>
      </div>
      <EndButton sandbox={sandbox} />
    </li>
  );
}

function Sandboxes() {
  const { data, error, isPending, refetch } = useSandboxes();
  const now = useNow(1000);
  if (isPending) return <LoadingNote label="Reading your sandboxes" />;
  if (error && !data) {
    return (
      <ErrorNote
        title="Could not read your sandboxes"
        error={error}
        onRetry={() => void refetch()}
      />
    );
  }
  return (
    <>
      {error && <ErrorNote className="mb-3" title="This list may be out of date" error={error} />}
      {data.items.length === 0 ? (
        <div className="rounded-xl border border-line bg-surface">
          <EmptyState icon={<Box />} title="No sandbox is running">
            Builds and runs open their own, and so does a program with one of your keys.
          </EmptyState>
        </div>
      ) : (
        <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
          {data.items.map((sandbox) => (
            <SandboxRow key={sandbox.sandbox_id} sandbox={sandbox} now={now} />
          ))}
        </ul>
      )}
    </>
  );
}

export function SandboxList() {
  return (
    <section aria-labelledby="sandboxes-now">
      <SectionHead id="sandboxes-now" title="Running and paused">
        Yours alone; each ends by itself when its time is over.
      </SectionHead>
      <Sandboxes />
    </section>
  );
}
