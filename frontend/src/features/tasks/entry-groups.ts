import type { TimelineEntry } from './task-view';

export type FileEntry = Extract<TimelineEntry, { kind: 'file' }>;

export type EntryGroup =
  | { kind: 'single'; id: number; entry: TimelineEntry }
  | { kind: 'files'; id: number; files: FileEntry[] };

const MOST_SINGLE_FILES = 3;

/** Joins long runs of files, so that a whole skeleton is one line. */
export function groupEntries(entries: readonly TimelineEntry[]): EntryGroup[] {
  const groups: EntryGroup[] = [];
  let run: FileEntry[] = [];
  const flush = () => {
    const [first] = run;
    if (first && run.length > MOST_SINGLE_FILES) {
      groups.push({ kind: 'files', id: first.id, files: run });
    } else {
      groups.push(...run.map((entry) => ({ kind: 'single' as const, id: entry.id, entry })));
    }
    run = [];
  };
  for (const entry of entries) {
    if (entry.kind === 'file') {
      run.push(entry);
    } else {
      flush();
      groups.push({ kind: 'single', id: entry.id, entry });
    }
  }
  flush();
  return groups;
}
