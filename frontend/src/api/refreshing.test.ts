import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';
import { problem } from '@/mocks/handlers';
import { sampleToken } from '@/mocks/samples';
import { server } from '@/mocks/server';
import { api, unwrap } from './client';
import { refreshSession } from './refreshing';
import { beginSession, readSession, sessionEndReason } from './session';

const spent = { ...sampleToken, access_token: 'spent', expires_in: 0 };

test('a call after a long sleep renews the token first', async () => {
  let header: string | null = null;
  server.use(
    http.get('/api/me', ({ request }) => {
      header = request.headers.get('authorization');
      return HttpResponse.json({});
    }),
  );
  beginSession(spent);
  await unwrap(api.GET('/api/me'));
  expect(header).toBe('Bearer sample-token');
});

test('many calls at once use a refresh token once', async () => {
  let count = 0;
  server.use(
    http.post('/api/auth/refresh', () => {
      count += 1;
      return HttpResponse.json(sampleToken);
    }),
  );
  beginSession(spent);
  await Promise.all([unwrap(api.GET('/api/me')), unwrap(api.GET('/api/me')), refreshSession()]);
  expect(count).toBe(1);
});

test('a token that another tab renewed is taken over', async () => {
  server.use(http.post('/api/auth/refresh', () => problem(401, 'refresh_refused', 'Over.')));
  beginSession(sampleToken);
  const renewed = localStorage.getItem('diono.session') ?? '';
  beginSession(spent);
  localStorage.setItem('diono.session', renewed);
  await refreshSession();
  expect(readSession()?.token).toBe('sample-token');
});

test('a refused refresh ends the session and says so', async () => {
  server.use(http.post('/api/auth/refresh', () => problem(401, 'refresh_refused', 'Over.')));
  beginSession(spent);
  await expect(unwrap(api.GET('/api/me'))).rejects.toMatchObject({ code: 'refresh_refused' });
  expect(readSession()).toBeNull();
  expect(sessionEndReason()).toContain('Your session has ended');
});

test('a server that is away costs no session', async () => {
  server.use(http.post('/api/auth/refresh', () => HttpResponse.error()));
  beginSession(spent);
  await expect(unwrap(api.GET('/api/me'))).rejects.toMatchObject({ code: 'network_error' });
  expect(readSession()?.token).toBe('spent');
});
