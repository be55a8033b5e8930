import { toApiError, type ApiError } from '@/api/errors';
import { pause } from '@/lib/pause';

export interface LogPage {
  text: string;
  next_cursor: number;
  is_cut: boolean;
}

export interface LogState {
  text: string;
  /** Earlier lines are not shown any more. */
  isCut: boolean;
  isRead: boolean;
  error: ApiError | null;
}

export const noLog: LogState = { text: '', isCut: false, isRead: false, error: null };

const FIRST_PAUSE_MILLISECONDS = 500;
const LONGEST_PAUSE_MILLISECONDS = 5000;
const SHOWN_LIMIT_CHARACTERS = 100_000;

function add(state: LogState, page: LogPage): LogState {
  const text = state.text + page.text;
  return {
    text: text.slice(-SHOWN_LIMIT_CHARACTERS),
    isCut: state.isCut || page.is_cut || text.length > SHOWN_LIMIT_CHARACTERS,
    isRead: true,
    error: null,
  };
}

/** Asks for what is new, less often while nothing is, until the abort or a refusal. */
export async function followLog(
  read: (cursor: number, signal: AbortSignal) => Promise<LogPage>,
  signal: AbortSignal,
  tell: (state: LogState) => void,
): Promise<void> {
  let state = noLog;
  let cursor = 0;
  let wait = FIRST_PAUSE_MILLISECONDS;
  while (!signal.aborted) {
    try {
      const page = await read(cursor, signal);
      // A cursor that went back: the service was started anew, with a log of its own.
      const isNew = page.next_cursor < cursor;
      state = isNew ? noLog : add(state, page);
      wait = page.text || isNew ? FIRST_PAUSE_MILLISECONDS : wait * 2;
      cursor = isNew ? 0 : page.next_cursor;
    } catch (caught) {
      if (signal.aborted) return;
      state = { ...state, error: toApiError(caught) };
      wait *= 2;
    }
    if (signal.aborted) return;
    tell(state);
    if (state.error?.isRefusal) return;
    wait = Math.min(wait, LONGEST_PAUSE_MILLISECONDS);
    await pause(wait, signal);
  }
}
