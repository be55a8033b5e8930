import { expect, test } from 'vitest';
import { breakLine, indent, outdent, type Edit } from './editing';

function applied(value: string, edit: Edit): string {
  return value.slice(0, edit.start) + edit.text + value.slice(edit.end);
}

test('Tab goes to the next multiple of four', () => {
  expect(applied('ab', indent('ab', 2, 2))).toBe('ab  ');
  expect(applied('x\nab', indent('x\nab', 2, 2))).toBe('x\n    ab');
});

test('selected lines are indented and outdented together', () => {
  const value = 'one\n\ntwo\nthree';
  const edit = indent(value, 1, 8);
  const deeper = applied(value, edit);
  expect(deeper).toBe('    one\n\n    two\nthree');
  expect(applied(deeper, outdent(deeper, edit.selectionStart, edit.selectionEnd))).toBe(value);
});

test('a new line keeps its margin and goes deeper after an opening', () => {
  expect(breakLine('    a = 1', 9, 9).text).toBe('\n    ');
  expect(breakLine('if a:', 5, 5).text).toBe('\n    ');
});
