import { ChevronLeft, ChevronRight, CircleCheck, CircleDashed, CircleX } from 'lucide-react';
import { useState } from 'react';
import type { Replay, ReplayStep, TaskEvent } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { ProgressBar } from '@/components/ui/progress-bar';
import { LoadingNote } from '@/components/ui/spinner';
import { formatSeconds } from '@/lib/format';
import { PayloadReader } from '@/lib/payload';
import { useFileVersion, useReplay } from './queries';

const SHOWN_EVENTS = 200;

/** One event in a line: its kind, and the first of its texts. */
function told({ event_type: type, payload }: TaskEvent): string {
  const reader = new PayloadReader(payload);
  const names = ['text', 'title', 'name', 'path', 'phase', 'tool', 'detail'];
  const text = names.map((name) => reader.text(name)).find(Boolean) ?? '';
  return `${type.toLowerCase().replaceAll('_', ' ')}${text ? `: ${text}` : ''}`;
}

function CheckMark({ passed }: { passed: boolean | null }) {
  if (passed === true) return <CircleCheck aria-label="Passed" className="text-good" />;
  if (passed === false) return <CircleX aria-label="Failed" className="text-bad" />;
  return <CircleDashed aria-label="Did not run" className="text-ink-faint" />;
}

function FileText({ taskId, sha256, path }: { taskId: string; sha256: string; path: string }) {
  const { data, error, isPending } = useFileVersion(taskId, sha256);
  if (isPending) return <LoadingNote label="Reading the file as it was" className="p-3" />;
  if (error) return <ErrorNote title="Could not read the file" error={error} />;
  return (
    <pre
      tabIndex={0}
      aria-label={path}
      className="max-h-80 overflow-auto rounded-lg bg-sunken p-3 font-mono text-[0.8rem]"
    >
      {data}
    </pre>
  );
}

function Files({ taskId, step }: { taskId: string; step: ReplayStep }) {
  const [path, setPath] = useState('');
  const chosen = step.files.find((file) => file.path === path);
  if (step.files.length === 0) {
    return <p className="text-[0.93rem] text-ink-faint">No files yet.</p>;
  }
  return (
    <>
      <ul className="mb-2 flex flex-wrap gap-1.5">
        {step.files.map((file) => (
          <li key={file.path}>
            <Button
              size="small"
              aria-pressed={file.path === path}
              disabled={!file.sha256}
              onClick={() => setPath(file.path === path ? '' : file.path)}
            >
              <code className="font-mono text-[0.8rem] whitespace-normal">{file.path}</code>
            </Button>
          </li>
        ))}
      </ul>
      {chosen?.sha256 && <FileText taskId={taskId} sha256={chosen.sha256} path={chosen.path} />}
    </>
  );
}

function Step({ taskId, step }: { taskId: string; step: ReplayStep }) {
  return (
    <div className="grid min-w-0 grid-cols-1 gap-6" data-testid="replay-step">
      <div>
        <h2 className="text-[1.07rem] font-semibold break-words">{step.title || step.agent}</h2>
        <p className="mt-0.5 mb-2 text-[0.87rem] text-ink-faint tabular-nums">
          {step.agent} · {formatSeconds(step.seconds)}
        </p>
        <ProgressBar value={step.progress} label="Progress at this step" />
      </div>
      <section aria-label="What happened">
        <ol className="grid gap-1 font-mono text-[0.8rem] text-ink-soft">
          {step.events.slice(0, SHOWN_EVENTS).map((event) => (
            <li key={event.event_id} className="line-clamp-3 break-words">
              {told(event)}
            </li>
          ))}
        </ol>
        {step.events.length > SHOWN_EVENTS && (
          <p className="mt-1 text-[0.87rem] text-ink-faint">
            and {step.events.length - SHOWN_EVENTS} more
          </p>
        )}
      </section>
      <section aria-labelledby="replay-checks">
        <h3 id="replay-checks" className="mb-2 text-[0.87rem] font-semibold text-ink-faint">
          Checks after it
        </h3>
        {step.checks.length === 0 && <p className="text-[0.93rem] text-ink-faint">None yet.</p>}
        <ul className="grid gap-1.5 text-[0.93rem]">
          {step.checks.map((check) => (
            <li
              key={check.name}
              className="flex gap-2 [&>svg]:mt-0.5 [&>svg]:size-4 [&>svg]:shrink-0"
            >
              <CheckMark passed={check.passed} />
              <span className="min-w-0 break-words">{check.name}</span>
            </li>
          ))}
        </ul>
      </section>
      <section aria-labelledby="replay-files">
        <h3 id="replay-files" className="mb-2 text-[0.87rem] font-semibold text-ink-faint">
          Files after it
        </h3>
        <Files taskId={taskId} step={step} />
      </section>
    </div>
  );
}

interface PlayerProps {
  steps: readonly ReplayStep[];
  replay: Replay;
  taskId: string;
  isReading: boolean;
  readMore: () => void;
}

function Player({ steps, replay, taskId, isReading, readMore }: PlayerProps) {
  const [number, setNumber] = useState(1);
  const step = steps[number - 1];
  const total = replay.steps_total;
  const goTo = (wanted: number) => {
    const next = Math.min(Math.max(wanted, 1), total);
    setNumber(next);
    if (next >= steps.length && next < total) readMore();
  };
  return (
    <>
      <div className="mb-6 flex flex-wrap items-center gap-3">
        <Button
          size="icon"
          aria-label="Step before"
          disabled={number === 1}
          onClick={() => goTo(number - 1)}
        >
          <ChevronLeft aria-hidden />
        </Button>
        <input
          type="range"
          aria-label="Step"
          aria-valuetext={`Step ${number} of ${total}: ${step?.title ?? ''}`}
          className="min-w-40 grow accent-accent"
          min={1}
          max={Math.min(total, steps.length)}
          value={number}
          onChange={(event) => goTo(Number(event.target.value))}
        />
        <Button
          size="icon"
          aria-label="Next step"
          disabled={number === total}
          onClick={() => goTo(number + 1)}
        >
          <ChevronRight aria-hidden />
        </Button>
        <span className="text-[0.93rem] tabular-nums" role="status">
          Step {number} of {total}
        </span>
      </div>
      {step && <Step key={step.number} taskId={taskId} step={step} />}
      {!step && isReading && <LoadingNote label="Reading further steps" />}
    </>
  );
}

/** A task that has ended, step by step, with its files and checks as they were. */
export function ReplayView({ taskId }: { taskId: string }) {
  const replay = useReplay(taskId);
  if (replay.isPending) return <LoadingNote label="Reading the steps" />;
  const first = replay.data?.pages[0];
  if (!first) {
    return replay.error ? (
      <ErrorNote
        title="This task cannot be replayed"
        error={replay.error}
        onRetry={() => void replay.refetch()}
      />
    ) : null;
  }
  if (first.steps_total === 0) {
    return <EmptyState icon={<CircleDashed />} title="This task has no steps" />;
  }
  return (
    <Player
      steps={replay.data?.pages.flatMap((page) => page.steps) ?? []}
      replay={first}
      taskId={taskId}
      isReading={replay.isFetching}
      readMore={() => void replay.fetchNextPage()}
    />
  );
}
