import type { PayloadReader } from '@/lib/payload';

export interface LiveCheck {
  name: string;
  kind: string;
  passed: boolean | null;
  detail: string;
  isRequired: boolean;
  candidate: number | null;
}

export function readCheck(payload: PayloadReader): LiveCheck {
  return {
    name: payload.text('name') || 'Unnamed check',
    kind: payload.text('kind'),
    passed: payload.flag('passed'),
    detail: payload.text('detail'),
    isRequired: payload.flag('is_required') ?? true,
    candidate: payload.number('candidate'),
  };
}

export interface Depth {
  title: string;
  passed: number;
  failed: number;
  notRun: number;
}

const depths: readonly [string, readonly string[]][] = [
  ['It installs and starts', ['install', 'syntax', 'start']],
  ['Examples and commands', ['cli']],
  ['Properties and edge cases', ['property']],
  ['Routes', ['http']],
  ['Pages', ['page']],
  ['Its own tests', ['unit']],
];

function countDepth(title: string, checks: readonly LiveCheck[]): Depth {
  return {
    title,
    passed: checks.filter((check) => check.passed === true).length,
    failed: checks.filter((check) => check.passed === false).length,
    notRun: checks.filter((check) => check.passed === null).length,
  };
}

/** How deep the checks go: those depths that have any, from the shallowest on. */
export function checksByDepth(checks: readonly LiveCheck[]): Depth[] {
  const known = new Set(depths.flatMap(([, kinds]) => kinds));
  const counted = depths.map(([title, kinds]) =>
    countDepth(
      title,
      checks.filter((check) => kinds.includes(check.kind)),
    ),
  );
  const others = checks.filter((check) => !known.has(check.kind));
  return [...counted, countDepth('Others', others)].filter(
    (depth) => depth.passed + depth.failed + depth.notRun > 0,
  );
}
