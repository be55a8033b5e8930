import type { PayloadReader } from '@/lib/payload';

export interface LiveCheck {
  name: string;
  kind: string;
  /** What sort of proof it is (`edge`, `route`); empty: told by its kind. */
  depth: string;
  passed: boolean | null;
  detail: string;
  isRequired: boolean;
  candidate: number | null;
}

export function readCheck(payload: PayloadReader): LiveCheck {
  return {
    name: payload.text('name') || 'Unnamed check',
    kind: payload.text('kind'),
    depth: payload.text('depth'),
    passed: payload.flag('passed'),
    detail: payload.text('detail'),
    isRequired: payload.flag('is_required') ?? true,
    candidate: payload.number('candidate'),
  };
}

export interface DepthCount {
  title: string;
  passed: number;
  failed: number;
  notRun: number;
}

const depths: readonly [string, readonly string[]][] = [
  ['It installs and starts', ['install', 'syntax', 'start']],
  ['Examples and commands', ['example', 'command line', 'cli']],
  ['Routes', ['route', 'http']],
  ['Pages and forms', ['page', 'form']],
  ['Properties and round trips', ['property', 'round trip']],
  ['Edge cases', ['edge']],
  ['Its own tests', ['unit']],
];

function depthOf(check: LiveCheck): string {
  return check.depth || check.kind;
}

function countDepth(title: string, checks: readonly LiveCheck[]): DepthCount {
  return {
    title,
    passed: checks.filter((check) => check.passed === true).length,
    failed: checks.filter((check) => check.passed === false).length,
    notRun: checks.filter((check) => check.passed === null).length,
  };
}

/** How deep the checks go: those depths that have any, from the shallowest on. */
export function checksByDepth(checks: readonly LiveCheck[]): DepthCount[] {
  const known = new Set(depths.flatMap(([, kinds]) => kinds));
  const counted = depths.map(([title, kinds]) =>
    countDepth(
      title,
      checks.filter((check) => kinds.includes(depthOf(check))),
    ),
  );
  const others = checks.filter((check) => !known.has(depthOf(check)));
  return [...counted, countDepth('Others', others)].filter(
    (depth) => depth.passed + depth.failed + depth.notRun > 0,
  );
}
