import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, test, vi } from 'vitest';
import { renderScreen } from '@/mocks/render';
import { changesOf, withoutFunction } from './plan-data';
import { QuestionCard, type OpenQuestion, type QuestionAnswer } from './question-card';

const plan = {
  spec: {
    title: 'Books',
    summary: 'Keeps books.',
    functions: [
      { name: 'add_book', description: 'Adds.' },
      { name: 'find', description: 'F.' },
    ],
    entity: { name: 'book', fields: [{ name: 'title', type: 'text' }] },
  },
  plan: {
    items: [
      { path: 'add_book.py', purpose: 'adds', maker: 'model', function: 'add_book' },
      { path: 'find.py', purpose: 'finds', maker: 'model', function: 'find' },
      { path: 'main.py', purpose: 'commands', maker: 'generator', function: '' },
    ],
  },
};

function ask(question: Partial<OpenQuestion>) {
  const onAnswer = vi.fn<(answer: QuestionAnswer) => void>();
  renderScreen(
    <QuestionCard
      question={{ key: 'q', kind: 'plan', text: 'Build it?', choices: [], ...question }}
      isBusy={false}
      error={null}
      onAnswer={onAnswer}
    />,
  );
  return onAnswer;
}

test('an untouched plan is approved as it is, an edited one with what changed', async () => {
  const user = userEvent.setup();
  const onAnswer = ask({ details: plan });
  await user.click(screen.getByRole('button', { name: 'Approve' }));
  expect(onAnswer).toHaveBeenLastCalledWith({ approved: true, text: '', details: {} });
  await user.clear(screen.getByLabelText('Title'));
  await user.type(screen.getByLabelText('Title'), 'Shelf');
  await user.click(screen.getByRole('button', { name: 'Add a field' }));
  await user.click(screen.getByRole('button', { name: 'Approve with your changes' }));
  const details: Record<string, unknown> = onAnswer.mock.lastCall?.[0].details ?? {};
  expect(Object.keys(details)).toEqual(['spec']);
  expect(details['spec']).toMatchObject({
    title: 'Shelf',
    entity: { fields: [{ name: 'title' }, { name: 'field_2' }] },
  });
});

test('a function that is left out takes its file with it, and no plan is sent', () => {
  const changed = withoutFunction(plan, 1);
  expect(JSON.stringify(changed)).not.toContain('find');
  expect(Object.keys(changesOf(plan, changed))).toEqual(['spec']);
});

test('a plan is sent back with the reason', async () => {
  const user = userEvent.setup();
  const onAnswer = ask({ details: { ...plan, problem: 'A name is taken.' } });
  expect(screen.getByText('A name is taken.')).toBeVisible();
  await user.type(screen.getByLabelText(/What is wrong/), 'too much');
  await user.click(screen.getByRole('button', { name: 'Send back' }));
  expect(onAnswer).toHaveBeenCalledWith({ approved: false, text: 'too much', details: {} });
});

test('an action shows what it would do, and a question takes a choice or words', async () => {
  const user = userEvent.setup();
  const details = { tool: 'run_command', arguments: { command: 'rm -rf notes' }, risk: 'deletes' };
  const onAction = ask({ kind: 'action', details });
  expect(screen.getByText('rm -rf notes')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Refuse' }));
  expect(onAction).toHaveBeenCalledWith({ approved: false, text: '', details: {} });
  const onQuestion = ask({ kind: 'question', choices: ['SQLite', 'PostgreSQL'] });
  await user.click(screen.getByRole('button', { name: 'SQLite' }));
  expect(onQuestion).toHaveBeenLastCalledWith({ approved: true, text: 'SQLite', details: {} });
  await user.type(screen.getByLabelText('Your answer'), 'a file');
  await user.click(screen.getByRole('button', { name: 'Answer' }));
  expect(onQuestion).toHaveBeenLastCalledWith({ approved: true, text: 'a file', details: {} });
});
