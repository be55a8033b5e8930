import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';
import { problem } from '@/mocks/handlers';
import { sampleToken } from '@/mocks/samples';
import { server } from '@/mocks/server';
import { api, fetchBody, unwrap } from './client';
import { ApiError } from './errors';
import { beginSession, readSession, sessionEndReason } from './session';

const readMe = () => unwrap(api.GET('/api/me'));

test('the token goes with every call', async () => {
  let header: string | null = null;
  server.use(
    http.get('/api/me', ({ request }) => {
      header = request.headers.get('authorization');
      return HttpResponse.json({});
    }),
  );
  beginSession(sampleToken);
  await readMe();
  expect(header).toBe('Bearer sample-token');
});

test('a refused token ends the session and says so', async () => {
  server.use(http.get('/api/me', () => problem(401, 'token_refused', 'Sign in again.')));
  beginSession(sampleToken);
  await expect(readMe()).rejects.toMatchObject({ code: 'token_refused', requestId: 'req_1' });
  expect(readSession()).toBeNull();
  expect(sessionEndReason()).toContain('Your session has ended');
});

test('an answer that is not ours is still explained', async () => {
  server.use(http.get('/api/me', () => new HttpResponse('<h1>Bad gateway</h1>', { status: 502 })));
  const error = await readMe().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 502, isRefusal: false, code: 'unexpected_answer' });
});

test('no network is an error with a way out', async () => {
  server.use(http.get('/api/me', () => HttpResponse.error()));
  await expect(readMe()).rejects.toMatchObject({ code: 'network_error' });
});

test('errors of plain bodies are read too', async () => {
  server.use(http.get('/api/file', () => problem(404, 'artifact_not_found', 'No such file.')));
  await expect(fetchBody('/api/file')).rejects.toMatchObject({ detail: 'No such file.' });
});
