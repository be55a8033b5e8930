/** A change of a text: the part from `start` to `end` becomes `text`, then a part is selected. */
export interface Edit {
  start: number;
  end: number;
  text: string;
  selectionStart: number;
  selectionEnd: number;
}

const INDENT = 4;

function lineStart(value: string, position: number): number {
  return value.lastIndexOf('\n', position - 1) + 1;
}

function insert(start: number, end: number, text: string): Edit {
  const after = start + text.length;
  return { start, end, text, selectionStart: after, selectionEnd: after };
}

/** Changes every line that the selection touches. */
function onLines(
  value: string,
  start: number,
  end: number,
  change: (line: string) => string,
): Edit {
  const from = lineStart(value, start);
  const lines = value.slice(from, end).split('\n');
  const changed = lines.map(change);
  const text = changed.join('\n');
  const shift = (changed[0] ?? '').length - (lines[0] ?? '').length;
  const selectionEnd = from + text.length;
  const selectionStart = start === end ? selectionEnd : Math.max(from, start + shift);
  return { start: from, end, text, selectionStart, selectionEnd };
}

/** Tab: to the next multiple of four, or every selected line by four. */
export function indent(value: string, start: number, end: number): Edit {
  if (value.slice(start, end).includes('\n')) {
    return onLines(value, start, end, (line) => (line ? ' '.repeat(INDENT) + line : line));
  }
  const column = start - lineStart(value, start);
  return insert(start, end, ' '.repeat(INDENT - (column % INDENT)));
}

/** Shift and Tab: every touched line loses up to four spaces or a tab. */
export function outdent(value: string, start: number, end: number): Edit {
  return onLines(value, start, end, (line) => line.replace(/^(?:\t| {1,4})/, ''));
}

/** Enter: the new line begins where this one does, and deeper after an opening. */
export function breakLine(value: string, start: number, end: number): Edit {
  const line = value.slice(lineStart(value, start), start);
  const margin = /^[ \t]*/.exec(line)?.[0] ?? '';
  const isOpening = /[:{([]\s*$/.test(line);
  return insert(start, end, `\n${margin}${isOpening ? ' '.repeat(INDENT) : ''}`);
}
