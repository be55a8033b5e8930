import { useSyncExternalStore } from 'react';
import { isRecord } from '@/lib/json';
import type { Token } from './types';

export interface Session {
  token: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  lifetimeSeconds: number;
  /** Good once, for the next pair of tokens. */
  refreshToken: string;
  refreshExpiresAt: number;
}

const STORAGE_KEY = 'diono.session';
const listeners = new Set<() => void>();
let current: Session | null | undefined;
let endReason = '';

function parse(text: string | null): Session | null {
  if (!text) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return null;
    const { token, expiresAt, lifetimeSeconds, refreshToken, refreshExpiresAt } = value;
    if (typeof token !== 'string' || typeof expiresAt !== 'number') return null;
    if (typeof refreshToken !== 'string' || typeof lifetimeSeconds !== 'number') return null;
    if (typeof refreshExpiresAt !== 'number' || refreshExpiresAt <= Date.now()) return null;
    return { token, expiresAt, lifetimeSeconds, refreshToken, refreshExpiresAt };
  } catch {
    return null;
  }
}

function publish(session: Session | null): void {
  current = session;
  for (const notify of listeners) notify();
}

export function readSession(): Session | null {
  current ??= parse(localStorage.getItem(STORAGE_KEY));
  return current;
}

/** What another tab may have stored a moment ago. */
export function readStoredSession(): Session | null {
  const stored = parse(localStorage.getItem(STORAGE_KEY));
  if (stored?.token !== current?.token) publish(stored);
  return stored;
}

export function beginSession(token: Token): void {
  const session: Session = {
    token: token.access_token,
    expiresAt: Date.now() + token.expires_in * 1000,
    lifetimeSeconds: token.expires_in,
    refreshToken: token.refresh_token,
    refreshExpiresAt: Date.now() + token.refresh_expires_in * 1000,
  };
  endReason = '';
  localStorage.setItem(STORAGE_KEY, JSON.stringify(session));
  publish(session);
}

/** Forgets the token; `reason` is what the sign-in page tells the user. */
export function endSession(reason = ''): void {
  endReason = reason;
  localStorage.removeItem(STORAGE_KEY);
  publish(null);
}

export function sessionEndReason(): string {
  return endReason;
}

function subscribe(notify: () => void): () => void {
  // Another tab signed in, renewed or signed out.
  const onStorage = (event: StorageEvent) => {
    if (event.key === STORAGE_KEY) publish(parse(event.newValue));
  };
  listeners.add(notify);
  window.addEventListener('storage', onStorage);
  return () => {
    listeners.delete(notify);
    window.removeEventListener('storage', onStorage);
  };
}

export function useSession(): Session | null {
  return useSyncExternalStore(subscribe, readSession);
}
