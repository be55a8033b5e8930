import { CircleAlert } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import type { HistoryMessage, TaskState } from '@/api/types';
import { RichText } from '@/components/rich-text';
import { Badge } from '@/components/ui/badge';
import { ErrorNote } from '@/components/ui/error-note';
import { Spinner } from '@/components/ui/spinner';
import { formatNumber, formatSeconds } from '@/lib/format';
import { PayloadReader } from '@/lib/payload';
import { ProofNote } from './proof-note';
import { useTurnSteps } from './queries';
import { ToolLine } from './tool-line';
import type { TurnPart, TurnView } from './turn-view';

export function Asked({ text, kind }: { text: string; kind: string }) {
  const label = kind === 'build' ? 'Build' : kind === 'change' ? 'Change' : '';
  return (
    <div className="ml-auto max-w-[85%] rounded-2xl rounded-br-md bg-accent-soft px-4 py-2.5">
      <h2 className="sr-only">You</h2>
      {label && <Badge tone="accent">{label}</Badge>}
      <p className="leading-relaxed break-words whitespace-pre-wrap">{text}</p>
    </div>
  );
}

function Part({ part, isOver }: { part: TurnPart; isOver: boolean }) {
  if (part.kind === 'tool') return <ToolLine use={part} isOver={isOver} />;
  if (part.kind === 'message') return <RichText text={part.text} />;
  return (
    <p className="flex gap-2 text-[0.87rem] break-words text-warn">
      <CircleAlert aria-label="Warning" className="mt-0.5 size-4 shrink-0" />
      <span className="min-w-0">{part.text}</span>
    </p>
  );
}

export function Parts({ view }: { view: TurnView }) {
  return (
    <ol className="grid min-w-0 grid-cols-1 gap-2">
      {view.parts.map((part) => (
        <li key={`${part.kind}-${part.id}`} className="min-w-0">
          <Part part={part} isOver={view.end !== null} />
        </li>
      ))}
    </ol>
  );
}

function LiveLine({ view, isConnected }: { view: TurnView; isConnected: boolean }) {
  if (!isConnected) {
    return (
      <p role="status" className="text-[0.87rem] text-warn">
        No connection; trying again. The agent goes on meanwhile.
      </p>
    );
  }
  const waits = view.queuePosition === null ? '' : `In the queue, number ${view.queuePosition}`;
  const doing = view.question ? 'Waiting for you' : waits || view.phase || 'Working';
  return (
    <p role="status" className="flex items-center gap-2 text-[0.87rem] text-ink-faint">
      <Spinner /> {doing.charAt(0).toUpperCase() + doing.slice(1)}
    </p>
  );
}

interface AnswerProps {
  text: string;
  isSuccess: boolean;
  code: string;
  receipt: unknown;
}

function Answer({ text, isSuccess, code, receipt }: AnswerProps) {
  return (
    <>
      {isSuccess ? (
        <RichText text={text} />
      ) : (
        <div role="alert" className="rounded-lg border border-bad/35 bg-bad-soft px-3.5 py-2.5">
          <RichText text={text || 'The turn ended without an answer.'} />
          {code && <p className="mt-1 font-mono text-[0.8rem] text-ink-faint">{code}</p>}
        </div>
      )}
      <ProofNote receipt={receipt} />
    </>
  );
}

/** The turn that runs, or has just ended. */
export function LiveCard({ view, isConnected }: { view: TurnView; isConnected: boolean }) {
  return (
    <div className="grid min-w-0 grid-cols-1 gap-2.5" data-testid="live-turn">
      <h2 className="sr-only">Agent</h2>
      <Parts view={view} />
      {view.draft && (
        <div data-testid="draft" className="border-l-2 border-line-strong pl-3 text-ink-soft">
          <RichText text={view.draft} />
        </div>
      )}
      {view.end ? <Answer {...view.end} /> : <LiveLine view={view} isConnected={isConnected} />}
    </div>
  );
}

function Steps({ projectId, taskId }: { projectId: string; taskId: string }) {
  const [isOpen, setIsOpen] = useState(false);
  const steps = useTurnSteps(projectId, taskId, isOpen);
  return (
    <details onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary className="text-[0.87rem] text-ink-faint hover:text-ink">Steps</summary>
      <div className="mt-2">
        {steps.isLoading && <Spinner />}
        {steps.error && <ErrorNote title="Could not read the steps" error={steps.error} />}
        {steps.data?.parts.length === 0 && (
          <p className="text-[0.87rem] text-ink-faint">It used no tools.</p>
        )}
        {steps.data && <Parts view={steps.data} />}
      </div>
    </details>
  );
}

function facts(task: TaskState): string {
  const began = task.started_at ? Date.parse(task.started_at) : 0;
  const ended = task.finished_at ? Date.parse(task.finished_at) : 0;
  const parts = [task.model ?? ''];
  if (began && ended) parts.push(formatSeconds(Math.max(0, ended - began) / 1000));
  parts.push(`${formatNumber(task.tokens_in + task.tokens_out)} tokens`);
  return parts.filter(Boolean).join(' · ');
}

/** A turn that has ended. */
export function PastCard({ task }: { task: TaskState }) {
  const receipt = new PayloadReader(task.final_result);
  const done = task.kind === 'build' ? 'Built and checked.' : task.last_message;
  const answer = receipt.text('answer') || receipt.text('reason') || done;
  const isSuccess = task.status === 'SUCCEEDED';
  return (
    <div className="grid min-w-0 grid-cols-1 gap-2.5">
      <h2 className="sr-only">Agent</h2>
      <Answer
        text={isSuccess ? answer : (task.error?.detail ?? (receipt.text('reason') || answer))}
        isSuccess={isSuccess}
        code={task.error?.code ?? (task.status === 'CANCELLED' ? 'cancelled' : '')}
        receipt={task.final_result}
      />
      <div className="flex flex-wrap items-start gap-x-5 gap-y-1">
        <Steps projectId={task.project_id} taskId={task.task_id} />
        <span className="text-[0.87rem] text-ink-faint tabular-nums">{facts(task)}</span>
        <Link
          to={`/tasks/${task.task_id}`}
          className="text-[0.87rem] text-ink-faint underline hover:text-ink"
        >
          Details
        </Link>
      </div>
    </div>
  );
}

/** Messages whose task is not here: copied from another project, or of long ago. */
export function SaidCard({ messages }: { messages: readonly HistoryMessage[] }): ReactNode {
  return messages.map((message) => {
    if (message.role === 'user') {
      return <Asked key={message.number} text={message.content} kind="chat" />;
    }
    return message.role === 'tool' ? (
      <p
        key={message.number}
        className="truncate font-mono text-[0.8rem] text-ink-faint"
        title={message.content}
      >
        {message.content}
      </p>
    ) : (
      <RichText key={message.number} text={message.content} />
    );
  });
}
