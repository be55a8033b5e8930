import { isRecord } from '@/lib/json';

/** One server-sent event whose data is a JSON object. */
export interface ServerEvent {
  kind: string;
  data: Record<string, unknown>;
}

const BLANK_LINE = /\r?\n\r?\n/;

function parseEvent(block: string): ServerEvent | null {
  let kind = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const value = line.slice(colon + 1).replace(/^ /, '');
    if (line.startsWith('event:')) kind = value;
    if (line.startsWith('data:')) data.push(value);
  }
  if (data.length === 0) return null;
  try {
    const parsed: unknown = JSON.parse(data.join('\n'));
    return isRecord(parsed) ? { kind, data: parsed } : null;
  } catch {
    return null;
  }
}

/** Yields the events of an open answer, together as they came; comments are left out. */
export async function* readServerEvents(response: Response): AsyncGenerator<ServerEvent[]> {
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += decoder.decode(value, { stream: !done });
      const blocks = rest.split(BLANK_LINE);
      rest = done ? '' : (blocks.pop() ?? '');
      const events = blocks.map(parseEvent).filter((event) => event !== null);
      if (events.length > 0) yield events;
      if (done) return;
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
