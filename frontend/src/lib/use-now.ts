import { useEffect, useState } from 'react';

/** The current time in milliseconds, refreshed while `isTicking`. */
export function useNow(intervalMilliseconds: number, isTicking = true): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isTicking) return undefined;
    const timer = setInterval(() => setNow(Date.now()), intervalMilliseconds);
    return () => clearInterval(timer);
  }, [intervalMilliseconds, isTicking]);
  return now;
}
