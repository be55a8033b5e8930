import { api, unwrap } from './client';
import { toApiError } from './errors';
import { beginSession, readSession } from './session';

const CHECK_SECONDS = 15;
const RENEW_AT_SHARE_LEFT = 0.5;

function isDue(): boolean {
  const session = readSession();
  if (!session) return false;
  const secondsLeft = (session.expiresAt - Date.now()) / 1000;
  return secondsLeft < session.lifetimeSeconds * RENEW_AT_SHARE_LEFT;
}

async function renewIfDue(): Promise<void> {
  if (!isDue()) return;
  try {
    beginSession(await unwrap(api.POST('/api/auth/renew')));
  } catch (error) {
    // A refusal has already ended the session; anything else is tried again at the next tick.
    if (toApiError(error).isRefusal) return;
  }
}

/** Keeps the token fresh while the page is open, also after the machine slept. */
export function startRenewal(): () => void {
  const renew = () => void renewIfDue();
  const timer = setInterval(renew, CHECK_SECONDS * 1000);
  document.addEventListener('visibilitychange', renew);
  renew();
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', renew);
  };
}
