import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, test } from 'vitest';
import type { ExecutedProgram, LanguageInfo, LanguageList } from '@/api/types';
import { problem } from '@/mocks/handlers';
import { renderScreen } from '@/mocks/render';
import { server } from '@/mocks/server';
import { Workbench } from './workbench';

const language: LanguageInfo = {
  name: 'python',
  title: 'Python',
  aliases: [],
  extensions: ['.py'],
  template: 'base',
  is_compiled: false,
  timeout_seconds: 10,
  compile_timeout_seconds: 30,
  kernel: 'python',
  state: 'ready',
  detail: '',
};

const ended: ExecutedProgram = {
  language: 'python',
  status: 'succeeded',
  exit_code: 0,
  stdout: '',
  stderr: '',
  is_truncated: false,
  seconds: 0.012,
  compiled: null,
  files: {},
  left_out: [],
};

function stream(...events: [string, object][]) {
  const text = events.map(([kind, data]) => `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`);
  return new HttpResponse(text.join(''), { headers: { 'content-type': 'text/event-stream' } });
}

function answer(...events: [string, object][]) {
  server.use(http.post('/api/execute/stream', () => stream(...events)));
}

async function run() {
  renderScreen(<Workbench />);
  await screen.findByRole('option', { name: 'Python' });
  await userEvent.setup().click(screen.getByRole('button', { name: 'Run' }));
}

beforeEach(() => {
  sessionStorage.clear();
  const languages: LanguageList = { languages: [language], problem: '' };
  server.use(http.get('/api/languages', () => HttpResponse.json(languages)));
});

test('what is printed is shown with its stream and how it ended', async () => {
  answer(
    ['output', { stream: 'stdout', text: 'to out\n' }],
    ['output', { stream: 'stderr', text: 'to err\n' }],
    ['result', { ...ended, status: 'failed', exit_code: 3 }],
  );
  await run();
  expect(await screen.findByText('Exit code 3')).toBeVisible();
  expect(screen.getByText('ran 12 ms')).toBeVisible();
  expect(screen.getByText('to err')).toHaveAttribute('data-stream', 'stderr');
});

test.each([
  ['deadline', 'Out of time', /stopped after 10 s/],
  ['memory', 'Out of memory', /more memory than its sandbox has/],
] as const)('%s is told in words', async (status, title, advice) => {
  answer(['result', { ...ended, status, exit_code: null }]);
  await run();
  expect(await screen.findByText(title)).toBeVisible();
  expect(screen.getByText(advice)).toBeVisible();
});

test('a language that is being built is waited for', async () => {
  const building = { error: 'template_building', detail: 'the template is being built: step 2' };
  let asked = 0;
  server.use(
    http.post('/api/execute/stream', () => {
      asked += 1;
      return asked === 1 ? stream(['error', building]) : stream(['result', ended]);
    }),
  );
  await run();
  expect(await screen.findByText(/being built: step 2/)).toBeVisible();
  expect(await screen.findByText('Exit code 0')).toBeVisible();
  expect(asked).toBe(2);
});

test('a refusal says why, and so does a connection that ends early', async () => {
  server.use(http.post('/api/execute/stream', () => problem(429, 'quota_reached', 'End one.')));
  await run();
  expect(await screen.findByText('End one.')).toBeVisible();
  answer(['output', { stream: 'stdout', text: 'half' }]);
  await userEvent.setup().click(screen.getByRole('button', { name: 'Run' }));
  expect(await screen.findByText(/connection ended before/)).toBeVisible();
});

test('Stop stops and starts nothing', async () => {
  let asked = 0;
  server.use(
    http.post('/api/execute/stream', () => {
      asked += 1;
      return new HttpResponse(new ReadableStream(), {
        headers: { 'content-type': 'text/event-stream' },
      });
    }),
  );
  await run();
  await userEvent.setup().click(await screen.findByRole('button', { name: 'Stop' }));
  expect(await screen.findByText('Stopped by you')).toBeVisible();
  expect(asked).toBe(1);
});

test('Tab indents, and leaves after Escape', async () => {
  renderScreen(<Workbench />);
  const user = userEvent.setup();
  const editor = screen.getByLabelText('Code');
  await user.clear(editor);
  await user.type(editor, 'if 1:{enter}pass{tab}');
  expect(editor).toHaveValue('if 1:\n    pass    ');
  await user.keyboard('{Escape}{Tab}');
  expect(editor).not.toHaveFocus();
});
