import type { ReactNode } from 'react';
import type { ProjectState } from '@/api/types';
import { Badge, type Tone } from '@/components/ui/badge';
import { ErrorNote } from '@/components/ui/error-note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatNumber } from '@/lib/format';
import { useProjectState } from './queries';

const sandboxTones: Record<string, Tone> = { running: 'good', paused: 'warn' };

function Block({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h2 className="mb-1.5 text-[0.87rem] font-medium text-ink-faint">{title}</h2>
      {children}
    </section>
  );
}

function Texts({
  title,
  texts,
  isCode = false,
}: {
  title: string;
  texts: string[];
  isCode?: boolean;
}) {
  if (texts.length === 0) return null;
  return (
    <Block title={title}>
      <ul className="grid gap-1.5 text-[0.93rem]">
        {texts.map((text) => (
          <li key={text} className={isCode ? 'font-mono text-[0.84rem] break-all' : 'break-words'}>
            {text}
          </li>
        ))}
      </ul>
    </Block>
  );
}

function Facts({ state }: { state: ProjectState }) {
  const sandbox = state.sandbox ?? 'unknown';
  const facts: [string, ReactNode][] = [
    ['Doing', state.running?.phase || state.phase || 'nothing yet'],
    [
      'Sandbox',
      <Badge key="sandbox" tone={sandboxTones[sandbox] ?? 'calm'}>
        {sandbox}
      </Badge>,
    ],
    ['Tokens read', formatNumber(state.tokens_in)],
    ['Tokens written', formatNumber(state.tokens_out)],
    ['Errors', formatNumber(state.error_count)],
    ['Waiting turns', formatNumber(state.queued)],
  ];
  return (
    <dl className="grid grid-cols-2 gap-x-4 gap-y-3">
      {facts.map(([name, value]) => (
        <div key={name} className="min-w-0">
          <dt className="text-[0.8rem] text-ink-faint">{name}</dt>
          <dd className="font-medium break-words tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What the agent keeps in mind of the project. */
export function StatePanel({ projectId }: { projectId: string }) {
  const { data, error, isPending, refetch } = useProjectState(projectId);
  if (isPending) return <LoadingNote label="Reading the state" />;
  if (!data) {
    return error ? (
      <ErrorNote title="Could not read the state" error={error} onRetry={() => void refetch()} />
    ) : null;
  }
  const services = Object.entries(data.service_pids).map(([name, pid]) => `${name} (pid ${pid})`);
  return (
    <div className="grid gap-6 p-4 sm:p-5" data-testid="project-state">
      {error && <ErrorNote title="This may be out of date" error={error} />}
      <Facts state={data} />
      <Texts title="Last thoughts" texts={data.thoughts.toReversed()} />
      <Texts title="Next steps" texts={data.next_steps} />
      <Texts title="Active files" texts={data.active_files} isCode />
      <Texts title="Services it started" texts={services} isCode />
    </div>
  );
}
