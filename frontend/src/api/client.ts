import createClient from 'openapi-fetch';
import { ApiError, errorFromBody, toApiError } from './errors';
import type { paths } from './schema';
import { isDue, refreshSession, SESSION_OVER } from './refreshing';
import { endSession, readSession, type Session } from './session';

const SIGN_IN_PATH = '/api/auth/token';
const LAST_SHARE = 0.02;

/** The session with a token that still lives; throws ApiError offline. */
async function liveSession(): Promise<Session | null> {
  const session = readSession();
  // After a sleep the token may be over while the session is not.
  if (session && isDue(session, LAST_SHARE)) await refreshSession();
  return readSession();
}

/** `fetch` with the bearer token; a refused token ends the session. Throws ApiError offline. */
async function authorizedFetch(request: Request): Promise<Response> {
  const session = await liveSession();
  if (session && !request.headers.has('authorization')) {
    request.headers.set('authorization', `Bearer ${session.token}`);
  }
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw toApiError(error);
  }
  const isSignIn = new URL(request.url).pathname === SIGN_IN_PATH;
  // A token that was replaced meanwhile says nothing about the present one.
  if (response.status === 401 && !isSignIn && readSession()?.token === session?.token) {
    endSession(SESSION_OVER);
  }
  return response;
}

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: authorizedFetch,
});

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a successful call; throws ApiError for any other answer. */
export async function unwrap<T>(call: Promise<Outcome<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw errorFromBody(error, response);
  if (data === undefined) {
    throw new ApiError('empty_answer', 'The server sent no content.', response.status);
  }
  return data;
}

/** Resolves for an answer without content; throws ApiError for a refusal. */
export async function settle(call: Promise<Outcome<unknown>>): Promise<void> {
  const { error, response } = await call;
  if (!response.ok) throw errorFromBody(error, response);
}

async function checked(request: Request): Promise<Response> {
  const response = await authorizedFetch(request);
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  throw errorFromBody(body, response);
}

/** Reads a body that is not JSON (file texts, archives). */
export async function fetchBody(path: string, signal?: AbortSignal): Promise<Response> {
  const url = new URL(path, window.location.origin);
  return checked(new Request(url, signal ? { signal } : {}));
}

/** Sends JSON (or, without a body, asks) and returns the open answer, to be read as it comes. */
export async function openStream(
  path: string,
  body: object | null,
  signal: AbortSignal,
): Promise<Response> {
  const accept = 'text/event-stream';
  const url = new URL(path, window.location.origin);
  if (body === null) return checked(new Request(url, { headers: { accept }, signal }));
  const headers = { 'content-type': 'application/json', accept };
  return checked(new Request(url, { method: 'POST', headers, body: JSON.stringify(body), signal }));
}

/** Sends raw bytes and returns the JSON of the answer. */
export async function sendBytes(
  path: string,
  body: Blob,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<unknown> {
  const url = new URL(path, window.location.origin);
  const answer = await checked(
    new Request(url, {
      method: 'PATCH',
      headers: { 'content-type': 'application/octet-stream', ...headers },
      body,
      signal,
    }),
  );
  return answer.json();
}

/** A picture behind the sign-in as a data address: the page's rules allow no other foreign one. */
export async function fetchPicture(path: string, signal?: AbortSignal): Promise<string> {
  const blob = await (await fetchBody(path, signal)).blob();
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(String(reader.result)));
    reader.addEventListener('error', () => reject(toApiError(reader.error)));
    reader.readAsDataURL(blob);
  });
}
