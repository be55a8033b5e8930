import { expect, test } from 'vitest';
import { groupEntries } from './entry-groups';
import type { TimelineEntry } from './task-view';

const file = (id: number): TimelineEntry => ({
  id,
  kind: 'file',
  path: `file-${id}`,
  size: 1,
  isRemoved: false,
});
const message: TimelineEntry = { id: 9, kind: 'message', text: 'done' };

test('a long run of files becomes one group, in its place', () => {
  const groups = groupEntries([file(1), file(2), file(3), file(4), message, file(10)]);
  expect(groups.map(({ kind, id }) => [kind, id])).toEqual([
    ['files', 1],
    ['single', 9],
    ['single', 10],
  ]);
});

test('a few files stay single', () => {
  expect(groupEntries([file(1), file(2), file(3)])).toHaveLength(3);
});
