import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';
import { readSession } from '@/api/session';
import { PASSWORD } from '@/mocks/handlers';
import { renderScreen } from '@/mocks/render';
import { server } from '@/mocks/server';
import { SignInPage } from './sign-in-page';

async function signIn(password: string) {
  const user = userEvent.setup();
  renderScreen(<SignInPage />);
  await user.type(screen.getByLabelText('Password'), password);
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
}

test('the right password begins a session', async () => {
  await signIn(PASSWORD);
  await waitFor(() => expect(readSession()?.token).toBe('sample-token'));
});

test('a wrong password is explained and begins none', async () => {
  await signIn('guess');
  const alert = await screen.findByRole('alert');
  expect(alert).toHaveTextContent('Wrong user name or password');
  expect(alert).toHaveTextContent('credentials_wrong');
  expect(readSession()).toBeNull();
});

test('a server that is down is told apart from a wrong password', async () => {
  server.use(http.post('/api/auth/token', () => HttpResponse.error()));
  await signIn(PASSWORD);
  expect(await screen.findByRole('alert')).toHaveTextContent('Diono does not answer');
});
