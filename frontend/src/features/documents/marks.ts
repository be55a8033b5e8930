export interface MarkedPart {
  text: string;
  isMarked: boolean;
  start: number;
}

/** Cuts a text at its highlights, given as (start, end); what overlaps or lies outside is clipped. */
export function markedParts(
  text: string,
  highlights: readonly (readonly number[])[],
): MarkedPart[] {
  const parts: MarkedPart[] = [];
  let at = 0;
  const add = (end: number, isMarked: boolean) => {
    if (end <= at) return;
    parts.push({ text: text.slice(at, end), isMarked, start: at });
    at = end;
  };
  const ordered = highlights.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  for (const [start = 0, end = 0] of ordered) {
    add(Math.min(start, text.length), false);
    add(Math.min(end, text.length), true);
  }
  add(text.length, false);
  return parts;
}
