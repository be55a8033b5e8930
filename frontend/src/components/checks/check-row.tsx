import { CircleCheck, CircleDashed, CircleX } from 'lucide-react';
import { cn } from '@/lib/cn';
import type { LiveCheck } from './check-data';

type Outcome = 'passed' | 'failed' | 'not run';

function outcomeOf(check: LiveCheck): Outcome {
  if (check.passed === null) return 'not run';
  return check.passed ? 'passed' : 'failed';
}

const looks = {
  passed: { icon: CircleCheck, style: 'text-good', word: 'Passed' },
  failed: { icon: CircleX, style: 'text-bad', word: 'Failed' },
  'not run': { icon: CircleDashed, style: 'text-ink-faint', word: 'Did not run' },
} as const;

const kinds: Record<string, string> = {
  install: 'install',
  start: 'start',
  unit: 'unit test',
  cli: 'command',
  http: 'HTTP',
  page: 'page',
  syntax: 'syntax',
  property: 'property',
};

function CheckDetail({ check }: { check: LiveCheck }) {
  if (!check.detail) return null;
  if (check.detail.length < 100 && !check.detail.includes('\n')) {
    return (
      <p className="mt-0.5 font-mono text-[0.8rem] break-words text-ink-soft">{check.detail}</p>
    );
  }
  return (
    <details className="mt-0.5" open={check.passed === false}>
      <summary className="text-[0.8rem] text-ink-faint hover:text-ink">Details</summary>
      <pre
        tabIndex={0}
        aria-label={`Details of ${check.name}`}
        className="mt-1 max-h-56 overflow-auto rounded-lg bg-sunken p-2.5 font-mono text-[0.8rem] whitespace-pre-wrap text-ink-soft"
      >
        {check.detail}
      </pre>
    </details>
  );
}

/** One check, green or red, with what it saw. */
export function CheckRow({ check, isCompact = false }: { check: LiveCheck; isCompact?: boolean }) {
  const outcome = outcomeOf(check);
  const { icon: Icon, style, word } = looks[outcome];
  return (
    <div className="flex gap-2.5" data-testid="check" data-outcome={outcome}>
      <Icon aria-hidden className={cn('mt-0.5 size-4.5 shrink-0', style)} />
      <div className="min-w-0 grow">
        <p className="flex flex-wrap items-baseline gap-x-2 leading-snug">
          <span className="sr-only">{word}: </span>
          <span className="min-w-0 break-words">{check.name}</span>
          <span className="text-[0.8rem] text-ink-faint">
            {[
              kinds[check.kind] ?? check.kind,
              check.isRequired ? '' : 'optional',
              check.candidate === null ? '' : `candidate ${check.candidate}`,
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
        </p>
        {(!isCompact || check.passed === false) && <CheckDetail check={check} />}
      </div>
    </div>
  );
}
