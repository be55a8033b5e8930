import { openStream } from '@/api/client';
import { ApiError, toApiError } from '@/api/errors';
import { readServerEvents, type ServerEvent } from '@/api/server-events';
import type { ExecutedProgram, ExecuteProgram } from '@/api/types';
import { pause } from '@/lib/pause';
import type { OutputPiece, RunChange } from './run-state';

const ASK_AGAIN_MILLISECONDS = 3000;
const BUILDING = 'template_building';
// The same code tells of a build that failed; only its sentence differs.
const BUILD_FAILED = 'could not be built';

function isResult(data: object): data is ExecutedProgram {
  return 'status' in data && 'seconds' in data && 'language' in data;
}

function pieceOf({ data }: ServerEvent): OutputPiece {
  const stream = data['stream'] === 'stderr' ? 'stderr' : 'stdout';
  return { stream, text: typeof data['text'] === 'string' ? data['text'] : '' };
}

function errorOf({ data }: ServerEvent): ApiError {
  return new ApiError(String(data['error'] ?? ''), String(data['detail'] ?? ''));
}

/** Follows one attempt to its end; throws ApiError if there is no result. */
async function attempt(
  program: ExecuteProgram,
  signal: AbortSignal,
  tell: (change: RunChange) => void,
): Promise<void> {
  const response = await openStream('/api/execute/stream', program, signal);
  let isOver = false;
  for await (const events of readServerEvents(response)) {
    const pieces = events.filter((event) => event.kind === 'output').map(pieceOf);
    if (pieces.length > 0) tell({ kind: 'output', pieces });
    const failure = events.find((event) => event.kind === 'error');
    if (failure) throw errorOf(failure);
    const result = events.find((event) => event.kind === 'result')?.data;
    if (result && isResult(result)) {
      isOver = true;
      tell({ kind: 'ended', result });
    }
  }
  if (!isOver) {
    throw new ApiError('run_lost', 'The connection ended before the program did. Run it again.');
  }
}

/** Runs a program, waiting for its language's image if that is being built. Never throws. */
export async function followRun(
  program: ExecuteProgram,
  signal: AbortSignal,
  tell: (change: RunChange) => void,
): Promise<void> {
  tell({ kind: 'started' });
  while (!signal.aborted) {
    try {
      await attempt(program, signal, tell);
      return;
    } catch (caught) {
      if (signal.aborted) return;
      const error = toApiError(caught);
      if (error.code !== BUILDING || error.detail.includes(BUILD_FAILED)) {
        tell({ kind: 'failed', error });
        return;
      }
      tell({ kind: 'building', note: error.detail.replace(/; ask again.*$/, '') });
    }
    await pause(ASK_AGAIN_MILLISECONDS, signal);
  }
}
