import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { http } from 'msw';
import { problem } from '@/mocks/handlers';
import { renderScreen } from '@/mocks/render';
import { server } from '@/mocks/server';
import { ComposeForm } from './compose-form';

function renderForm() {
  const onCreated = vi.fn<(taskId: string, problem: Error | null) => void>();
  renderScreen(
    <ComposeForm model={null} modelPicker={null} modelNotes={null} onCreated={onCreated} />,
  );
  return { onCreated, user: userEvent.setup() };
}

test('an example fills the box and the build starts by keyboard', async () => {
  const { onCreated, user } = renderForm();
  expect(screen.getByRole('button', { name: 'Build it' })).toBeDisabled();
  await user.click(screen.getByRole('button', { name: 'Roman numerals' }));
  expect(screen.getByLabelText('What should be built?')).toHaveValue(
    'A command-line program that converts Roman numerals to integers and back',
  );
  await user.keyboard('{Control>}{Enter}{/Control}');
  await waitFor(() => expect(onCreated).toHaveBeenCalledWith('tsk_1', null));
});

test('a refused request keeps the text and says the way out', async () => {
  const { onCreated, user } = renderForm();
  const box = screen.getByLabelText('What should be built?');
  await user.click(box);
  await user.paste('x'.repeat(17_000));
  await user.click(screen.getByRole('button', { name: 'Build it' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('Say the essence.');
  expect(box).toHaveValue('x'.repeat(17_000));
  expect(onCreated).not.toHaveBeenCalled();
});

test('a build that was made but does not start is handed on with the reason', async () => {
  server.use(
    http.post('/api/tasks/:taskId/run', () => problem(503, 'unavailable', 'No container engine.')),
  );
  const { onCreated, user } = renderForm();
  await user.type(screen.getByLabelText('What should be built?'), 'A thing');
  await user.click(screen.getByRole('button', { name: 'Build it' }));
  await waitFor(() =>
    expect(onCreated).toHaveBeenCalledWith(
      'tsk_1',
      expect.objectContaining({ detail: 'No container engine.' }),
    ),
  );
});
