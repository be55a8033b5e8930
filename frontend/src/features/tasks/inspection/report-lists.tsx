import type { ReactNode } from 'react';
import type { Inspection, InspectionFinding } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { ProgressBar } from '@/components/ui/progress-bar';
import {
  dependencyText,
  partNames,
  placeOf,
  severityTones,
  toneOf,
  warningsOf,
} from './inspection-data';

interface GroupProps {
  title: string;
  count: number;
  isOpen?: boolean;
  children: ReactNode;
}

function Group({ title, count, isOpen = false, children }: GroupProps) {
  if (count === 0) return null;
  return (
    <details open={isOpen}>
      <summary className="text-[0.93rem] font-medium">
        {title} ({count})
      </summary>
      <ul className="mt-2 divide-y divide-line rounded-xl border border-line">{children}</ul>
    </details>
  );
}

export function ScoreParts({ parts }: { parts: Inspection['quality']['parts'] }) {
  return (
    <ul className="grid gap-x-6 gap-y-3 sm:grid-cols-2">
      {parts.map((part) => (
        <li key={part.name} className="grid content-start gap-1">
          <p className="flex justify-between gap-3 text-[0.93rem]">
            <span className="font-medium">{partNames[part.name]}</span>
            <span className="text-ink-faint tabular-nums">
              {part.points} of 100, counts {part.weight}
            </span>
          </p>
          <ProgressBar
            value={part.points / 100}
            label={partNames[part.name]}
            tone={toneOf(part.points)}
          />
          <p className="text-[0.87rem] break-words text-ink-soft">{part.explanation}</p>
        </li>
      ))}
    </ul>
  );
}

interface FindingsProps {
  title: string;
  findings: readonly InspectionFinding[];
  isOpen: boolean;
}

export function Findings({ title, findings, isOpen }: FindingsProps) {
  return (
    <Group title={title} count={findings.length} isOpen={isOpen}>
      {findings.map((finding) => (
        <li
          key={`${finding.rule} ${finding.path} ${finding.line} ${finding.explanation}`}
          data-testid="finding"
          className="grid gap-0.5 px-3.5 py-2.5"
        >
          <p className="flex flex-wrap items-center gap-2">
            <Badge tone={severityTones[finding.severity]}>{finding.severity}</Badge>
            <span className="font-mono text-[0.84rem] break-all">
              {placeOf(finding.path, finding.line)}
            </span>
            <span className="font-mono text-[0.8rem] text-ink-faint">{finding.rule}</span>
          </p>
          <p className="text-[0.93rem] break-words">{finding.explanation}</p>
          {finding.way_out && (
            <p className="text-[0.87rem] break-words text-ink-soft">{finding.way_out}</p>
          )}
        </li>
      ))}
    </Group>
  );
}

export function Secrets({ secrets }: { secrets: Inspection['secrets'] }) {
  return (
    <Group title="What looks like a secret" count={secrets.length} isOpen>
      {secrets.map((secret) => (
        <li
          key={`${secret.rule} ${secret.path} ${secret.line} ${secret.masked}`}
          data-testid="found-secret"
          className="grid gap-0.5 px-3.5 py-2.5"
        >
          <p className="flex flex-wrap items-center gap-2 font-mono text-[0.84rem]">
            <Badge tone="bad">high</Badge>
            <span className="break-all">{placeOf(secret.path, secret.line)}</span>
            <span className="break-all text-ink-soft">{secret.masked}</span>
            <span className="text-[0.8rem] text-ink-faint">{secret.rule}</span>
          </p>
          <p className="text-[0.87rem] text-ink-soft">{secret.way_out}</p>
        </li>
      ))}
    </Group>
  );
}

export function Dependencies({ packages }: { packages: Inspection['dependencies'] }) {
  return (
    <Group title="Packages" count={packages.length}>
      {packages.map((dependency) => (
        <li
          key={`${dependency.ecosystem} ${dependency.name} ${dependency.declared_in}`}
          className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3.5 py-2"
        >
          <span className="font-mono text-[0.87rem] break-all">{dependency.name}</span>
          <span className="text-[0.87rem] break-words text-ink-faint">
            {dependencyText(dependency)}
          </span>
          {warningsOf(dependency).map((warning) => (
            <Badge key={warning} tone="warn">
              {warning}
            </Badge>
          ))}
        </li>
      ))}
    </Group>
  );
}

export function NotExamined({ notes }: { notes: Inspection['not_examined'] }) {
  return (
    <Group title="Not examined" count={notes.length} isOpen>
      {notes.map(({ what, why }) => (
        <li key={`${what} ${why}`} className="px-3.5 py-2 text-[0.93rem] break-words">
          <span className="font-medium">{what}</span>: {why}
        </li>
      ))}
    </Group>
  );
}
