import { expect, test } from 'vitest';
import { diffLines } from './diff-lines';

test('files, places and lines are told apart; only heads are left out', () => {
  const diff = [
    'diff --git a/query.sql b/query.sql',
    'index 123..456 100644',
    '--- a/query.sql',
    '+++ b/query.sql',
    '@@ -1,2 +1,2 @@',
    '--- a comment of SQL',
    '+-- another',
    ' select 1',
    '',
  ].join('\n');
  expect(diffLines(diff).map((line) => [line.kind, line.text])).toEqual([
    ['file', 'query.sql'],
    ['place', '@@ -1,2 +1,2 @@'],
    ['removed', '--- a comment of SQL'],
    ['added', '+-- another'],
    ['same', ' select 1'],
  ]);
});
