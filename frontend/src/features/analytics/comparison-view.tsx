import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { ComparedSide, Comparison } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { ErrorNote } from '@/components/ui/error-note';
import { Note } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatNumber, formatSeconds } from '@/lib/format';
import { haveEnded, useComparison } from './queries';

const SO_FAR_NOTE = 'One of the two has not ended: its figures are those so far.';

function outcome(passed: boolean | null): ReactNode {
  if (passed === null) return <span className="text-ink-faint">not run</span>;
  return passed ? (
    <span className="text-good">passed</span>
  ) : (
    <span className="text-bad">failed</span>
  );
}

const rows: [string, (side: ComparedSide) => ReactNode][] = [
  ['Model', (side) => <span className="font-mono text-[0.87rem]">{side.model ?? 'default'}</span>],
  [
    'Outcome',
    (side) => (
      <Badge
        tone={side.status === 'SUCCEEDED' ? 'good' : side.status === 'FAILED' ? 'bad' : 'calm'}
      >
        {side.status.toLowerCase()}
      </Badge>
    ),
  ],
  ['Time', (side) => (side.seconds === null ? '–' : formatSeconds(side.seconds))],
  ['Checks passed', (side) => formatNumber(side.checks_passed)],
  ['Checks failed', (side) => formatNumber(side.checks_failed)],
  ['Attempts', (side) => formatNumber(side.attempts)],
  ['Tokens read', (side) => formatNumber(side.tokens_in)],
  ['Tokens written', (side) => formatNumber(side.tokens_out)],
  ['Cost', (side) => `$${side.cost_usd.toFixed(2)}`],
  ['Files', (side) => formatNumber(side.files)],
  ['Reason', (side) => side.reason || '–'],
];

function Table({ caption, children }: { caption: string; children: ReactNode }) {
  return (
    <div
      role="group"
      aria-label={caption}
      tabIndex={0}
      className="overflow-x-auto rounded-xl border border-line bg-surface"
    >
      <table className="w-full text-[0.93rem] tabular-nums">
        <caption className="sr-only">{caption}</caption>
        {children}
      </table>
    </div>
  );
}

function Heads({ comparison, first }: { comparison: Comparison; first: string }) {
  const link = 'px-4 py-2 text-left font-medium';
  return (
    <thead>
      <tr className="text-[0.87rem]">
        <th scope="col" className="px-4 py-2 text-left font-normal text-ink-faint">
          {first}
        </th>
        <th scope="col" className={link}>
          <Link className="text-accent underline" to={`/tasks/${comparison.left.task_id}`}>
            First
          </Link>
        </th>
        <th scope="col" className={link}>
          <Link className="text-accent underline" to={`/tasks/${comparison.right.task_id}`}>
            Second
          </Link>
        </th>
      </tr>
    </thead>
  );
}

function Row({ name, left, right }: { name: ReactNode; left: ReactNode; right: ReactNode }) {
  return (
    <tr className="border-t border-line align-top">
      <th scope="row" className="px-4 py-2 text-left font-normal break-words text-ink-soft">
        {name}
      </th>
      <td className="px-4 py-2 break-words">{left}</td>
      <td className="px-4 py-2 break-words">{right}</td>
    </tr>
  );
}

const fileWords = { same: 'the same', different: 'differs', left: 'here only', right: '–' };

function Tables({ comparison }: { comparison: Comparison }) {
  const { left, right, checks, files } = comparison;
  return (
    <div className="grid grid-cols-1 gap-7" data-testid="comparison">
      {!comparison.is_same_request && (
        <Note tone="warn">These two were asked for different things.</Note>
      )}
      {!haveEnded(comparison) && <Note>{SO_FAR_NOTE}</Note>}
      <Table caption="Figures">
        <Heads comparison={comparison} first="Figure" />
        <tbody>
          {rows.map(([name, show]) => (
            <Row key={name} name={name} left={show(left)} right={show(right)} />
          ))}
        </tbody>
      </Table>
      {checks.length > 0 && (
        <Table caption="Checks">
          <Heads comparison={comparison} first="Check" />
          <tbody>
            {checks.map((pair) => (
              <Row
                key={pair.name}
                name={pair.name}
                left={pair.is_in === 'right' ? '–' : outcome(pair.left)}
                right={pair.is_in === 'left' ? '–' : outcome(pair.right)}
              />
            ))}
          </tbody>
        </Table>
      )}
      {files.length > 0 && (
        <Table caption="Files">
          <Heads comparison={comparison} first="File" />
          <tbody>
            {files.map((pair) => (
              <Row
                key={pair.path}
                name={<code className="font-mono text-[0.84rem] break-all">{pair.path}</code>}
                left={fileWords[pair.state]}
                right={
                  pair.state === 'right'
                    ? 'here only'
                    : pair.state === 'left'
                      ? '–'
                      : fileWords[pair.state]
                }
              />
            ))}
          </tbody>
        </Table>
      )}
    </div>
  );
}

/** Two tasks side by side, such as one request on two models. */
export function ComparisonView({ taskId, otherId }: { taskId: string; otherId: string }) {
  const { data, error, isPending, refetch } = useComparison(taskId, otherId);
  if (isPending) return <LoadingNote label="Comparing" />;
  if (!data) {
    return (
      <ErrorNote
        title="These tasks cannot be compared"
        error={error}
        onRetry={() => void refetch()}
      />
    );
  }
  return <Tables comparison={data} />;
}
