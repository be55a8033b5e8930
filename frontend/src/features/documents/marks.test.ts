import { expect, test } from 'vitest';
import { markedParts } from './marks';

function shown(text: string, highlights: number[][]): string {
  return markedParts(text, highlights)
    .map((part) => (part.isMarked ? `[${part.text}]` : part.text))
    .join('');
}

test('a text is cut at its highlights and stays whole', () => {
  expect(shown('the north grew', [[4, 9]])).toBe('the [north] grew');
  expect(shown('the north grew', [])).toBe('the north grew');
  expect(shown('north', [[0, 5]])).toBe('[north]');
});

test('overlapping and impossible highlights neither repeat nor lose a letter', () => {
  const highlights = [
    [6, 99],
    [0, 3],
    [2, 5],
    [9, 4],
  ];
  const parts = markedParts('the north grew', highlights);
  expect(parts.map((part) => part.text).join('')).toBe('the north grew');
});
