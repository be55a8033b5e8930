import { screen, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import type { TaskState } from '@/api/types';
import { renderScreen } from '@/mocks/render';
import { sampleTask } from '@/mocks/samples';
import { ReceiptPanel } from './receipt';

const check = { detail: '', is_required: true, depth: '' };
const receipt: NonNullable<TaskState['final_result']> = {
  status: 'FAILED',
  answer: '',
  details: {
    discarded_checks: ['prints a help text'],
    indistinct: { count_words: 'constant' },
  },
  reason: 'A required check failed.',
  spec: { name: 'words' },
  blueprint: 'python-cli',
  files: ['main.py'],
  checks: [
    { ...check, name: 'installs', kind: 'install', passed: true },
    { ...check, name: 'counts words', kind: 'cli', passed: false, detail: 'expected 3\ngot 4' },
    { ...check, name: 'explains errors', kind: 'cli', passed: null, is_required: false },
  ],
  unproven: ['Files over 1 GB were not tried'],
  attempts: 4,
  tokens_in: 5120,
  tokens_out: 900,
  seconds: 75,
  commit: '0123456789abcdef',
};

function section(name: RegExp) {
  const heading = screen.getByRole('heading', { name });
  const parent = heading.closest('section');
  if (!parent) throw new Error('a heading without a section');
  return within(parent);
}

test('a failed build says what was proven, what was not and why', async () => {
  renderScreen(
    <ReceiptPanel task={sampleTask({ status: 'FAILED', final_result: receipt })} liveChecks={[]} />,
  );
  expect(screen.getByText('A required check failed.')).toBeVisible();
  const inspection = within(screen.getByTestId('inspection'));
  expect(await inspection.findByText('This task was not examined.')).toBeVisible();
  expect(screen.getByText('1 of 2 required checks passed.')).toBeVisible();
  expect(section(/^Failed/).getByText(/expected 3/)).toBeVisible();
  expect(section(/^Proven/).getByText('installs')).toBeVisible();
  expect(section(/^Did not run/).getByText('explains errors')).toBeVisible();
  expect(section(/^Not proven/).getByText(/over 1 GB/)).toBeVisible();
  expect(section(/^Not proven/).getByText(/always gives the same/)).toBeVisible();
  expect(section(/^Thrown away/).getByText('prints a help text')).toBeVisible();
  const row = screen.getByRole('row', { name: /Examples and commands/ });
  expect(
    within(row)
      .getAllByRole('cell')
      .map((cell) => cell.textContent),
  ).toEqual(['0', '1', '1']);
  expect(screen.getByText('1 min 15 s')).toBeVisible();
  expect(screen.getByText('5,120')).toBeVisible();
});

test('an ended build without a receipt is not shown as a success', () => {
  renderScreen(
    <ReceiptPanel
      task={sampleTask({
        status: 'FAILED',
        error: { code: 'run_lost', detail: 'The run ended without an answer.' },
      })}
      liveChecks={[]}
    />,
  );
  expect(screen.getByRole('alert')).toHaveTextContent('The run ended without an answer.');
});
