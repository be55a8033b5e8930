import { expect, test } from 'vitest';
import { formatAgo, formatBytes, formatSeconds, formatUntil, shorten } from './format';

test.each([
  [0.21, '0.2 s'],
  [9.44, '9.4 s'],
  [59.2, '59 s'],
  [65, '1 min 05 s'],
  [7380, '2 h 03 min'],
])('%s seconds read as %s', (seconds, expected) => {
  expect(formatSeconds(seconds)).toBe(expected);
});

test.each([
  [12, '12 B'],
  [1500, '1.5 kB'],
  [398_000_000, '398 MB'],
])('%s bytes read as %s', (bytes, expected) => {
  expect(formatBytes(bytes)).toBe(expected);
});

test('ages are relative for a day', () => {
  const now = Date.parse('2026-01-02T12:00:00Z');
  expect(formatAgo('2026-01-02T11:59:40Z', now)).toBe('just now');
  expect(formatAgo('2026-01-02T11:55:00Z', now)).toBe('5 min ago');
  expect(formatAgo('2026-01-02T09:00:00Z', now)).toBe('3 h ago');
});

test('times to come are relative', () => {
  const now = Date.parse('2026-01-02T12:00:00Z');
  expect(formatUntil('2026-01-02T11:00:00Z', now)).toBe('now');
  expect(formatUntil('2026-01-02T12:00:20Z', now)).toBe('in 20 s');
  expect(formatUntil('2026-01-02T12:05:00Z', now)).toBe('in 5 min');
  expect(formatUntil('2026-01-03T12:00:00Z', now)).toBe('in 24 h');
  expect(formatUntil('2026-02-01T12:00:00Z', now)).toBe('in 30 days');
});

test('long prompts are cut at a word', () => {
  expect(shorten('A notes API with full-text search', 20)).toBe('A notes API with…');
  expect(shorten('short\nsecond line', 20)).toBe('short');
});
