import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';
import type { IssuedSandboxKey, SandboxKey } from '@/api/types';
import { problem } from '@/mocks/handlers';
import { renderScreen } from '@/mocks/render';
import { server } from '@/mocks/server';
import { KeyList } from './key-list';

const key: SandboxKey = {
  key_id: 'key_1',
  name: 'my laptop',
  scopes: ['sandbox'],
  created_at: '2026-01-02T12:00:00Z',
  expires_at: null,
  last_used_at: null,
};

function serveKeys(): SandboxKey[] {
  const keys: SandboxKey[] = [];
  server.use(
    http.get('/api/sandbox-keys', () => HttpResponse.json({ items: keys })),
    http.post('/api/sandbox-keys', () => {
      keys.push(key);
      const environment = { E2B_API_KEY: 'e2b_secret', E2B_API_URL: 'http://here:1' };
      const issued: IssuedSandboxKey = { ...key, key: 'e2b_secret', environment };
      return HttpResponse.json(issued, { status: 201 });
    }),
    http.delete('/api/sandbox-keys/key_1', () => {
      keys.pop();
      return new HttpResponse(null, { status: 204 });
    }),
  );
  return keys;
}

test('a key is shown once, then only listed, then revoked', async () => {
  serveKeys();
  const user = userEvent.setup();
  renderScreen(<KeyList />);
  expect(await screen.findByText('No keys yet')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'New key' }));
  await user.type(screen.getByLabelText('Name'), 'my laptop');
  await user.click(screen.getByRole('button', { name: 'Create key' }));
  expect(await screen.findByTestId('new-key')).toHaveTextContent('e2b_secret');
  expect(screen.getByTestId('key-environment')).toHaveTextContent(
    'export E2B_API_URL=http://here:1',
  );
  await user.click(screen.getByRole('button', { name: 'I have copied it' }));
  expect(screen.queryByText('e2b_secret')).toBeNull();
  await user.click(screen.getByRole('button', { name: 'Revoke my laptop' }));
  await user.click(screen.getByRole('button', { name: 'Revoke key' }));
  await waitFor(() => expect(screen.queryByTestId('key')).toBeNull());
});

test('a key that may do nothing cannot be made, and a refusal says why', async () => {
  serveKeys();
  server.use(
    http.post('/api/sandbox-keys', () => problem(403, 'scope_not_given', 'Ask for less.')),
  );
  const user = userEvent.setup();
  renderScreen(<KeyList />);
  await user.click(screen.getByRole('button', { name: 'New key' }));
  await user.click(screen.getByLabelText('Templates'));
  await user.click(screen.getByRole('button', { name: 'Create key' }));
  expect(await screen.findByText('Ask for less.')).toBeVisible();
  await user.click(screen.getByLabelText('Sandboxes'));
  expect(screen.getByRole('button', { name: 'Create key' })).toBeDisabled();
});
