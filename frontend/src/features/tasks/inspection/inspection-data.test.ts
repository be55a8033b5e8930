import { expect, test } from 'vitest';
import type { Inspection, InspectionFinding } from '@/api/types';
import { groupFindings, placeOf, structureText, toneOf, warningsOf } from './inspection-data';

const finding: InspectionFinding = {
  rule: 'ruff:F821',
  kind: 'lint',
  severity: 'high',
  path: 'main.py',
  line: 3,
  explanation: 'An undefined name.',
  way_out: '',
};
const report: Inspection = {
  state: 'examined',
  structure: {
    type: 'command line program',
    languages: { toml: 9, python: 80 },
    file_count: 1,
    line_count: 1200,
    entry_points: [],
  },
  dependencies: [],
  files: [],
  findings: [],
  not_examined: [],
  quality: { score: 80, parts: [] },
  secrets: [],
  seconds: 2,
};

test('risks stand apart from other findings', () => {
  const groups = groupFindings([
    finding,
    { ...finding, kind: 'security', rule: 'bandit:B602' },
    { ...finding, kind: 'dependency', rule: 'osv' },
  ]);
  expect(groups.security.map(({ rule }) => rule)).toEqual(['bandit:B602', 'osv']);
  expect(groups.other).toEqual([finding]);
});

test('a place without a line is the whole file', () => {
  expect(placeOf('main.py', 3)).toBe('main.py:3');
  expect(placeOf('main.py', 0)).toBe('main.py');
});

test('the structure names languages by their share', () => {
  expect(structureText(report)).toBe('command line program · 1 file · 1,200 lines · python · toml');
});

test('points have a tone', () => {
  expect([90, 50, 49].map(toneOf)).toEqual(['good', 'accent', 'bad']);
});

test('a package warns of what is unknown of it', () => {
  const dependency = {
    name: 'leftpad',
    ecosystem: 'npm' as const,
    wanted: '*',
    version: '',
    is_pinned: false,
    is_known: false,
    licence: '',
    declared_in: 'package.json',
  };
  expect(warningsOf(dependency)).toEqual([
    'unknown in its registry',
    'any version',
    'not installed',
  ]);
  expect(warningsOf({ ...dependency, is_known: null, is_pinned: true, version: '1' })).toEqual([]);
});
