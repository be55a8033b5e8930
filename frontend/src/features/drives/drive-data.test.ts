import { expect, test } from 'vitest';
import type { DriveItem, DriveJob } from '@/api/types';
import { openableUrl, otherOrigin, progressText, shareOf, stateOf, stepInto } from './drive-data';

const now = Date.parse('2026-01-02T12:00:00Z');
const job: DriveJob = {
  job_id: 'djb_1',
  kind: 'import',
  project_id: 'prj_1',
  state: 'RUNNING',
  is_cancelling: false,
  items_total: 5,
  items_done: 2,
  items_failed: 0,
  bytes_total: 4_000_000,
  bytes_done: 1_000_000,
  attempts: 0,
  error: '',
  detail: '',
  due_at: '2026-01-02T12:00:00Z',
  created_at: '2026-01-02T12:00:00Z',
  finished_at: null,
};
const folder: DriveItem = {
  item_id: 'b',
  name: 'B',
  is_folder: true,
  size: null,
  modified_at: null,
  media_type: '',
};

test('only web addresses are opened', () => {
  expect(openableUrl('https://cloud.example.org/login')).toBe('https://cloud.example.org/login');
  expect(openableUrl('javascript:alert(1)')).toBeNull();
  expect(openableUrl('no address')).toBeNull();
});

test('a provider that sends the browser elsewhere is noticed', () => {
  const back = 'https://diono.example.org/api/drives/google/callback';
  expect(otherOrigin(back, 'https://diono.example.org')).toBeNull();
  expect(otherOrigin(back, 'http://localhost:8000')).toBe('https://diono.example.org');
  expect(otherOrigin('', 'http://localhost:8000')).toBeNull();
});

test('the way into folders has no rings', () => {
  const root = { folderId: null, name: 'Top' };
  const inside = stepInto([root], folder);
  expect(inside.map((step) => step.name)).toEqual(['Top', 'B']);
  expect(stepInto([...inside, { folderId: 'c', name: 'C' }], folder)).toEqual(inside);
});

test('progress counts bytes, or files where sizes are unknown', () => {
  expect(shareOf(job)).toBe(0.25);
  expect(shareOf({ ...job, bytes_total: 0, items_failed: 1 })).toBe(0.6);
  expect(shareOf({ ...job, bytes_total: 0, items_total: 0 })).toBe(0);
  expect(shareOf({ ...job, state: 'SUCCEEDED', items_total: 0, bytes_total: 0 })).toBe(1);
});

test('a job that waits says when it goes on', () => {
  const waiting = { ...job, attempts: 2, due_at: '2026-01-02T12:00:12Z', items_failed: 1 };
  expect(progressText(waiting, now)).toBe(
    '2 of 5 files · 1.0 MB of 4.0 MB · 1 failed · tried again in 12 s',
  );
  expect(stateOf({ ...waiting, is_cancelling: true }).label).toBe('stopping');
  const ended = { ...waiting, state: 'SUCCEEDED' as const, finished_at: '2026-01-02T12:01:00Z' };
  expect(stateOf(ended).label).toBe('done in part');
});
