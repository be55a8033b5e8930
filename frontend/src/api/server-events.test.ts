import { expect, test } from 'vitest';
import { readServerEvents, type ServerEvent } from './server-events';

async function read(pieces: string[]): Promise<ServerEvent[]> {
  const bytes = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const piece of pieces) controller.enqueue(bytes.encode(piece));
      controller.close();
    },
  });
  const events: ServerEvent[] = [];
  for await (const some of readServerEvents(new Response(body))) events.push(...some);
  return events;
}

test('events are read however they were cut', async () => {
  const text =
    'event: output\ndata: {"text": "é"}\n\n: ping\n\nevent: result\r\ndata: {"a": 1}\r\n\r\n';
  const expected = [
    { kind: 'output', data: { text: 'é' } },
    { kind: 'result', data: { a: 1 } },
  ];
  expect(await read([text])).toEqual(expected);
  expect(await read([...text])).toEqual(expected);
});

test('what is no JSON object is left out', async () => {
  expect(await read(['data: 3\n\ndata: {"broken\n\ndata: {"whole": true}'])).toEqual([
    { kind: 'message', data: { whole: true } },
  ]);
});
