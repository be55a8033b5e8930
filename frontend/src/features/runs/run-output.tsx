import { SquareTerminal } from 'lucide-react';
import type { ReactNode } from 'react';
import { Badge } from '@/components/ui/badge';
import { ErrorNote } from '@/components/ui/error-note';
import { FollowingScroller } from '@/components/ui/following-scroller';
import { EmptyState, Note } from '@/components/ui/note';
import { Spinner } from '@/components/ui/spinner';
import { cn } from '@/lib/cn';
import { isActive, type RunPhase, type RunState } from './run-state';
import { formatDuration, verdictOf } from './verdict';

interface RunOutputProps {
  state: RunState;
  limitSeconds: number;
}

const activities: Partial<Record<RunPhase, string>> = {
  starting: 'Starting',
  building: 'Preparing the language',
  running: 'Running',
};

function Status({ state, limitSeconds }: RunOutputProps) {
  if (isActive(state.phase)) {
    return (
      <Badge tone="accent">
        <Spinner /> {activities[state.phase]}
      </Badge>
    );
  }
  if (state.phase === 'stopped') return <Badge tone="calm">Stopped by you</Badge>;
  if (!state.result) return null;
  const { tone, title } = verdictOf(state.result, limitSeconds);
  const { compiled, seconds, status } = state.result;
  return (
    <>
      <Badge tone={tone}>{title}</Badge>
      {(status !== 'compile_error' || !compiled) && (
        <span className="text-ink-faint tabular-nums">ran {formatDuration(seconds)}</span>
      )}
      {compiled && (
        <span className="text-ink-faint tabular-nums">
          compiled in {formatDuration(compiled.seconds)}
        </span>
      )}
    </>
  );
}

function Notes({ state, limitSeconds }: RunOutputProps) {
  if (state.phase === 'building') {
    return (
      <Note title="This language is built at its first use">
        {state.buildNote.charAt(0).toUpperCase() + state.buildNote.slice(1)}. The program runs by
        itself when that is done.
      </Note>
    );
  }
  if (state.error) return <ErrorNote title="The program was not run" error={state.error} />;
  const advice = state.result && verdictOf(state.result, limitSeconds).advice;
  return advice ? <Note tone="warn">{advice}</Note> : null;
}

function Printed({ state }: { state: RunState }) {
  const compilerText = state.result?.compiled
    ? state.result.compiled.stdout + state.result.compiled.stderr
    : '';
  const hasText = state.pieces.length > 0 || compilerText !== '';
  if (!hasText && state.phase === 'idle') {
    return (
      <EmptyState icon={<SquareTerminal />} title="Nothing has run yet">
        What the program prints appears here as it comes.
      </EmptyState>
    );
  }
  const lines: ReactNode[] = [];
  if (compilerText) {
    lines.push(
      <span key="compiler" className="text-warn">
        {compilerText.trimEnd()}
        {'\n'}
      </span>,
    );
  }
  state.pieces.forEach(({ stream, text }, index) => {
    lines.push(
      // Pieces are only ever added at the end.
      // oxlint-disable-next-line react/no-array-index-key
      <span key={index} data-stream={stream} className={cn(stream === 'stderr' && 'text-bad')}>
        {text}
      </span>,
    );
  });
  return (
    <div className="px-4 py-3 font-mono text-[0.84rem] leading-relaxed">
      {state.isCut && <p className="mb-2 text-ink-faint">The beginning is not shown any more.</p>}
      <pre data-testid="run-output" className="break-words whitespace-pre-wrap">
        {lines}
      </pre>
      {!hasText && state.result && <p className="text-ink-faint">It printed nothing.</p>}
      {state.result?.is_truncated && (
        <p className="mt-2 text-ink-faint">The middle of a long output was left out.</p>
      )}
    </div>
  );
}

export function RunOutput({ state, limitSeconds }: RunOutputProps) {
  return (
    <section aria-label="Result" className="flex min-w-0 flex-col gap-3">
      <div
        role="status"
        data-testid="run-status"
        className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-1 text-[0.87rem]"
      >
        <h2 className="mr-1 text-[0.93rem] font-medium">Output</h2>
        <Status state={state} limitSeconds={limitSeconds} />
      </div>
      <Notes state={state} limitSeconds={limitSeconds} />
      <FollowingScroller
        label="What the program printed"
        growth={state.received}
        isGrowing={isActive(state.phase)}
        className="max-h-[32rem] min-h-52 grow overflow-y-auto rounded-xl border border-line bg-surface"
      >
        <Printed state={state} />
      </FollowingScroller>
    </section>
  );
}
