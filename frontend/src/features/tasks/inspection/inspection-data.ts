import type { Inspection, InspectionFinding } from '@/api/types';
import type { Tone } from '@/components/ui/badge';
import { formatNumber } from '@/lib/format';

type Dependency = Inspection['dependencies'][number];
type Part = Inspection['quality']['parts'][number];

const GOOD_POINTS = 80;
const FAIR_POINTS = 50;

export const partNames: Record<Part['name'], string> = {
  findings: 'Code findings',
  security: 'Security',
  tests: 'Proven by checks',
  complexity: 'Simplicity',
  documentation: 'Documentation',
  duplication: 'No repetition',
};

export const severityTones: Record<InspectionFinding['severity'], Tone> = {
  high: 'bad',
  medium: 'warn',
  low: 'calm',
};

export function toneOf(points: number): 'good' | 'accent' | 'bad' {
  if (points >= GOOD_POINTS) return 'good';
  return points >= FAIR_POINTS ? 'accent' : 'bad';
}

/** `main.py:12`; line 0 is the whole file. */
export function placeOf(path: string, line: number): string {
  return line > 0 ? `${path}:${line}` : path;
}

export interface FindingGroups {
  security: readonly InspectionFinding[];
  other: readonly InspectionFinding[];
}

/** Risks apart from the rest; each stays in its order, the gravest first. */
export function groupFindings(findings: readonly InspectionFinding[]): FindingGroups {
  return {
    security: findings.filter(({ kind }) => kind !== 'lint'),
    other: findings.filter(({ kind }) => kind === 'lint'),
  };
}

function counted(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `web service (FastAPI) · 4 files · 210 lines · python`. */
export function structureText({ structure }: Inspection): string {
  const languages = Object.entries(structure.languages ?? {})
    .toSorted(([, left], [, right]) => right - left)
    .map(([language]) => language);
  return [
    structure.type,
    counted(structure.file_count, 'file'),
    counted(structure.line_count, 'line'),
    ...languages,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** What is to be known of a package before it is trusted. */
export function warningsOf(dependency: Dependency): string[] {
  const warnings: string[] = [];
  if (dependency.is_known === false) warnings.push('unknown in its registry');
  if (!dependency.is_pinned) warnings.push('any version');
  if (!dependency.version) warnings.push('not installed');
  return warnings;
}

export function dependencyText(dependency: Dependency): string {
  return [
    dependency.ecosystem,
    dependency.version || dependency.wanted,
    dependency.licence || 'no licence told',
    dependency.declared_in,
  ]
    .filter(Boolean)
    .join(' · ');
}
