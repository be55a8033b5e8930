import { isRecord } from '@/lib/json';
import { ApiError, errorFromBody, toApiError } from './errors';
import { beginSession, endSession, readStoredSession, type Session } from './session';
import { inOneTab } from './tab-lock';
import type { Token } from './types';

const REFRESH_PATH = '/api/auth/refresh';
const RENEW_AT_SHARE_LEFT = 0.5;
export const SESSION_OVER =
  'Your session has ended. Sign in to go on; running builds were not touched.';

let running: Promise<void> | null = null;

export function isDue(session: Session, shareLeft = RENEW_AT_SHARE_LEFT): boolean {
  const secondsLeft = (session.expiresAt - Date.now()) / 1000;
  return secondsLeft <= session.lifetimeSeconds * shareLeft;
}

function isToken(value: unknown): value is Token {
  return isRecord(value) && typeof value['refresh_token'] === 'string';
}

async function refreshOnce(): Promise<void> {
  // Another tab may have done it while this one waited: a refresh token is good once.
  const session = readStoredSession();
  if (!session || !isDue(session)) return;
  const response = await fetch(new URL(REFRESH_PATH, window.location.origin), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refresh_token: session.refreshToken }),
  }).catch((error: unknown) => {
    throw toApiError(error);
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.status === 401) endSession(SESSION_OVER);
  if (!response.ok) throw errorFromBody(body, response);
  if (!isToken(body)) throw new ApiError('unexpected_answer', 'The server sent no new token.');
  beginSession(body);
}

/** Renews the session's tokens where that is due; throws ApiError. */
export function refreshSession(): Promise<void> {
  running ??= inOneTab('diono.session', refreshOnce).finally(() => {
    running = null;
  });
  return running;
}
