export interface DiffLine {
  id: number;
  kind: 'file' | 'place' | 'added' | 'removed' | 'same';
  text: string;
}

const noise =
  /^(index |new file mode|deleted file mode|old mode|new mode|similarity |--- |\+\+\+ )/;

function kindOf(line: string): DiffLine['kind'] {
  if (line.startsWith('@@')) return 'place';
  if (line.startsWith('+')) return 'added';
  return line.startsWith('-') ? 'removed' : 'same';
}

/** Reads a unified difference; the names of files stand alone, git's marks are left out. */
export function diffLines(diff: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let isInHead = false;
  for (const line of diff.split('\n')) {
    const file = /^diff --git a\/.* b\/(.*)$/.exec(line);
    if (file) {
      isInHead = true;
      lines.push({ id: lines.length, kind: 'file', text: file[1] ?? '' });
      continue;
    }
    if (line.startsWith('@@')) isInHead = false;
    // A removed line that begins with two dashes looks like a head's line; only heads have those.
    if (isInHead && noise.test(line)) continue;
    lines.push({ id: lines.length, kind: kindOf(line), text: line });
  }
  while (lines.at(-1)?.text === '') lines.pop();
  return lines;
}
