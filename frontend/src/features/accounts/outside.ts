import { isRecord } from '@/lib/json';

const KEY = 'diono.outside-sign-in';

/** Keeps what binds a sign-in elsewhere to this tab until the browser comes back. */
export function keepBinding(binding: string): void {
  sessionStorage.setItem(KEY, binding);
}

export function takeBinding(): string {
  const binding = sessionStorage.getItem(KEY) ?? '';
  sessionStorage.removeItem(KEY);
  return binding;
}

/** Only http(s): a server's answer must not become a script. */
export function isSafeAddress(value: unknown): boolean {
  const text = isRecord(value) ? value['url'] : value;
  return typeof text === 'string' && /^https?:\/\//i.test(text);
}
