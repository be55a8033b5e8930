import { expect, test } from 'vitest';
import { splitArguments } from './arguments';

test.each([
  ['', []],
  ['  one   two ', ['one', 'two']],
  ['one "two three" \'four "five"\'', ['one', 'two three', 'four "five"']],
  ['--name="a b" c\\ d ""', ['--name=a b', 'c d', '']],
])('%s is split as by a shell', (line, expected) => {
  expect(splitArguments(line)).toEqual(expected);
});
