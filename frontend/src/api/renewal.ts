import { isDue, refreshSession } from './refreshing';
import { readSession } from './session';

const CHECK_SECONDS = 15;

function renewIfDue(): void {
  const session = readSession();
  if (!session || !isDue(session)) return;
  // A refusal has already ended the session; anything else is tried again at the next tick.
  refreshSession().catch(() => undefined);
}

/** Keeps the token fresh while the page is open, also after the machine slept. */
export function startRenewal(): () => void {
  const timer = setInterval(renewIfDue, CHECK_SECONDS * 1000);
  document.addEventListener('visibilitychange', renewIfDue);
  renewIfDue();
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', renewIfDue);
  };
}
