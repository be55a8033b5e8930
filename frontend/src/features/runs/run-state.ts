import type { ApiError } from '@/api/errors';
import type { ExecutedProgram } from '@/api/types';

export interface OutputPiece {
  stream: 'stdout' | 'stderr';
  text: string;
}

/** What is known of one run: `building` waits for the language's image. */
export type RunPhase =
  'idle' | 'starting' | 'building' | 'running' | 'ended' | 'stopped' | 'failed';

export interface RunState {
  phase: RunPhase;
  pieces: readonly OutputPiece[];
  /** Characters received, shown or not. */
  received: number;
  /** The beginning of a long output is not shown any more. */
  isCut: boolean;
  buildNote: string;
  result: ExecutedProgram | null;
  error: ApiError | null;
}

export type RunChange =
  | { kind: 'started' }
  | { kind: 'building'; note: string }
  | { kind: 'output'; pieces: readonly OutputPiece[] }
  | { kind: 'ended'; result: ExecutedProgram }
  | { kind: 'failed'; error: ApiError }
  | { kind: 'stopped' };

const SHOWN_LIMIT_CHARACTERS = 200_000;

export const noRun: RunState = {
  phase: 'idle',
  pieces: [],
  received: 0,
  isCut: false,
  buildNote: '',
  result: null,
  error: null,
};

export function isActive(phase: RunPhase): boolean {
  return phase === 'starting' || phase === 'building' || phase === 'running';
}

function joined(before: readonly OutputPiece[], added: readonly OutputPiece[]): OutputPiece[] {
  const pieces = [...before];
  for (const piece of added) {
    const last = pieces.at(-1);
    if (last?.stream === piece.stream) {
      pieces[pieces.length - 1] = { ...last, text: last.text + piece.text };
    } else {
      pieces.push(piece);
    }
  }
  return pieces;
}

/** The end of the output, at most the limit. */
function lastOf(pieces: readonly OutputPiece[]): OutputPiece[] {
  const kept: OutputPiece[] = [];
  let room = SHOWN_LIMIT_CHARACTERS;
  for (const piece of pieces.toReversed()) {
    if (room <= 0) break;
    kept.unshift({ ...piece, text: piece.text.slice(-room) });
    room -= piece.text.length;
  }
  return kept;
}

function withOutput(state: RunState, added: readonly OutputPiece[]): RunState {
  const received = state.received + added.reduce((sum, piece) => sum + piece.text.length, 0);
  const isCut = received > SHOWN_LIMIT_CHARACTERS;
  const pieces = joined(state.pieces, added);
  return { ...state, phase: 'running', received, isCut, pieces: isCut ? lastOf(pieces) : pieces };
}

export function changeRun(state: RunState, change: RunChange): RunState {
  switch (change.kind) {
    case 'started':
      return { ...noRun, phase: 'starting' };
    case 'building':
      return { ...state, phase: 'building', buildNote: change.note };
    case 'output':
      return withOutput(state, change.pieces);
    case 'ended':
      return { ...state, phase: 'ended', result: change.result };
    case 'failed':
      return { ...state, phase: 'failed', error: change.error };
    case 'stopped':
      return isActive(state.phase) ? { ...state, phase: 'stopped' } : state;
    default:
      return state;
  }
}
