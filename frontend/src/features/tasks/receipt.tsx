import { CircleCheck, CircleSlash, CircleX, ReceiptText } from 'lucide-react';
import type { TaskState } from '@/api/types';
import type { LiveCheck } from '@/components/checks/check-data';
import { CheckGroups } from '@/components/checks/check-groups';
import { EmptyState, Note } from '@/components/ui/note';
import { cn } from '@/lib/cn';
import { formatNumber, formatSeconds } from '@/lib/format';
import { InspectionSection } from './inspection/inspection-section';
import { readReceipt, type Receipt } from './receipt-data';
import { isTerminal } from '@/api/task-status';

const verdicts = {
  SUCCEEDED: { icon: CircleCheck, style: 'text-good', title: 'Built and checked' },
  FAILED: { icon: CircleX, style: 'text-bad', title: 'Not everything that was asked for works' },
  CANCELLED: { icon: CircleSlash, style: 'text-ink-soft', title: 'Cancelled before the end' },
};

function Verdict({ receipt }: { receipt: Receipt }) {
  const { icon: Icon, style, title } = verdicts[receipt.status];
  const required = receipt.checks.filter((check) => check.isRequired);
  const passed = required.filter((check) => check.passed === true).length;
  return (
    <div className="flex gap-3.5">
      <Icon aria-hidden className={cn('size-8 shrink-0', style)} />
      <div className="min-w-0">
        <h2 className="text-[1.2rem] font-semibold tracking-tight">
          {receipt.isRolledBack ? 'Rolled back: the program is as it was' : title}
        </h2>
        <p className="mt-0.5 text-ink-soft">
          {passed} of {required.length} required checks passed.
        </p>
        {receipt.reason && <p className="mt-2 break-words whitespace-pre-wrap">{receipt.reason}</p>}
      </div>
    </div>
  );
}

function Figures({ receipt }: { receipt: Receipt }) {
  const figures = [
    ['Time', formatSeconds(receipt.seconds)],
    ['Attempts', formatNumber(receipt.attempts)],
    ['Tokens read', formatNumber(receipt.tokensIn)],
    ['Tokens written', formatNumber(receipt.tokensOut)],
    ['Files', formatNumber(receipt.files.length)],
    ['Blueprint', receipt.blueprint || 'none'],
    ['Commit', receipt.commit.slice(0, 10) || 'none'],
  ] as const;
  return (
    <dl className="grid grid-cols-[repeat(auto-fill,minmax(8.5rem,1fr))] gap-x-4 gap-y-3.5 rounded-xl bg-sunken px-4 py-3.5">
      {figures.map(([name, value]) => (
        <div key={name} className="min-w-0">
          <dt className="text-[0.8rem] text-ink-faint">{name}</dt>
          <dd className="font-medium break-words tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Spec({ spec }: { spec: Record<string, unknown> }) {
  if (Object.keys(spec).length === 0) return null;
  return (
    <details>
      <summary className="text-[0.87rem] font-semibold text-ink-faint hover:text-ink">
        Specification
      </summary>
      <pre
        tabIndex={0}
        aria-label="Specification"
        className="mt-2 max-h-96 overflow-auto rounded-xl bg-sunken p-4 font-mono text-[0.8rem] whitespace-pre-wrap text-ink-soft"
      >
        {JSON.stringify(spec, null, 2)}
      </pre>
    </details>
  );
}

/** What a chat turn or a solved function says. */
function Answer({ text }: { text: string }) {
  return (
    <section>
      <h3 className="mb-2.5 text-[0.87rem] font-semibold text-ink-faint">Answer</h3>
      <pre
        tabIndex={0}
        aria-label="Answer"
        className="max-h-96 overflow-auto rounded-xl bg-sunken p-4 font-mono text-[0.84rem] whitespace-pre-wrap"
      >
        {text}
      </pre>
    </section>
  );
}

const stubs: Record<string, string> = {
  constant: 'always gives the same',
  identity: 'gives its input back',
};

/** Functions whose checks a wrong program passes as well. */
function weakClaims(receipt: Receipt): string[] {
  return Object.entries(receipt.indistinct).map(
    ([name, stub]) =>
      `${name}: its checks cannot tell it from one that ${stubs[String(stub)] ?? String(stub)}`,
  );
}

function TaskError({ error }: { error: NonNullable<TaskState['error']> }) {
  return (
    <Note tone="bad" title="The build ended with an error">
      {error.detail}
      <span className="mt-1 block font-mono text-[0.8rem] text-ink-faint">{error.code}</span>
    </Note>
  );
}

function NoChecks({ isDone }: { isDone: boolean }) {
  return (
    <EmptyState icon={<ReceiptText />} title={isDone ? 'No receipt' : 'No check has run yet'}>
      {isDone
        ? 'This build ended before anything was checked.'
        : 'Checks are derived from your request first; each turns green or red here.'}
    </EmptyState>
  );
}

interface ReceiptPanelProps {
  task: TaskState;
  /** The newest outcome of each check, until the receipt is written. */
  liveChecks: readonly LiveCheck[];
}

function FinalReceipt({ receipt, taskId }: { receipt: Receipt; taskId: string }) {
  return (
    <>
      <Verdict receipt={receipt} />
      <Figures receipt={receipt} />
      {receipt.answer && receipt.answer !== receipt.reason && <Answer text={receipt.answer} />}
      <CheckGroups
        checks={receipt.checks}
        unproven={[...receipt.unproven, ...weakClaims(receipt)]}
        discarded={receipt.discarded}
      />
      {receipt.files.length > 0 && <InspectionSection taskId={taskId} />}
      <Spec spec={receipt.spec} />
    </>
  );
}

export function ReceiptPanel({ task, liveChecks }: ReceiptPanelProps) {
  const receipt = readReceipt(task.final_result);
  const isDone = isTerminal(task.status);
  if (!receipt && liveChecks.length === 0 && !task.error) return <NoChecks isDone={isDone} />;
  return (
    <div className="mx-auto grid max-w-3xl gap-7 p-5 sm:p-7" data-testid="receipt">
      {task.error && <TaskError error={task.error} />}
      {receipt ? (
        <FinalReceipt receipt={receipt} taskId={task.task_id} />
      ) : (
        <>
          <h2 className="text-ink-soft">
            {isDone
              ? 'Checks that ran; there is no receipt'
              : 'Checks so far. The receipt follows at the end.'}
          </h2>
          <CheckGroups checks={liveChecks} unproven={[]} />
        </>
      )}
    </div>
  );
}
