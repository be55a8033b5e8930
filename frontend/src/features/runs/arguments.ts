const WORD = /"((?:[^"\\]|\\.)*)"|'([^']*)'|((?:[^\s"'\\]|\\.)+)/g;

/** Splits a line as a shell would: at spaces, not within quotes; nothing is expanded. */
export function splitArguments(line: string): string[] {
  const words: string[] = [];
  let end = -1;
  for (const match of line.matchAll(WORD)) {
    const [whole, double, single, bare] = match;
    const text = single ?? (double ?? bare ?? '').replace(/\\(.)/g, '$1');
    // Parts without a space between them are one word.
    if (match.index === end) words.push((words.pop() ?? '') + text);
    else words.push(text);
    end = match.index + whole.length;
  }
  return words;
}
