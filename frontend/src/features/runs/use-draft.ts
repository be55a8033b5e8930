import { useEffect, useState } from 'react';
import { isRecord } from '@/lib/json';
import { starterFor } from './starters';

export interface Draft {
  language: string;
  code: string;
  stdin: string;
  argumentLine: string;
  /** Null: the language's own limit. */
  timeoutSeconds: number | null;
}

const STORAGE_KEY = 'diono.run-draft';
const first: Draft = {
  language: 'python',
  code: starterFor('python'),
  stdin: '',
  argumentLine: '',
  timeoutSeconds: null,
};

function readDraft(): Draft {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? 'null');
    if (!isRecord(stored)) return first;
    const { language, code, stdin, argumentLine, timeoutSeconds } = stored;
    if (typeof language !== 'string' || typeof code !== 'string') return first;
    return {
      language,
      code,
      stdin: typeof stdin === 'string' ? stdin : '',
      argumentLine: typeof argumentLine === 'string' ? argumentLine : '',
      timeoutSeconds: typeof timeoutSeconds === 'number' ? timeoutSeconds : null,
    };
  } catch {
    return first;
  }
}

/** What is being written; it stays while this tab is open, also over a reload. */
export function useDraft() {
  const [draft, setDraft] = useState(readDraft);
  useEffect(() => {
    try {
      sessionStorage.setItem(STORAGE_KEY, JSON.stringify(draft));
    } catch {
      // Too long to be kept; it is still in the editor.
    }
  }, [draft]);
  const change = (changes: Partial<Draft>) => setDraft((current) => ({ ...current, ...changes }));
  return { draft, change };
}
