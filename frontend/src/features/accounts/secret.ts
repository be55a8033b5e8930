import { useState } from 'react';

/** What a one-time link carries behind its #: read once, then out of the address and the history. */
export function useLinkSecret(): string {
  const [secret] = useState(() => window.location.hash.slice(1));
  if (secret && window.location.hash) {
    window.history.replaceState(window.history.state, '', window.location.pathname);
  }
  return secret;
}
