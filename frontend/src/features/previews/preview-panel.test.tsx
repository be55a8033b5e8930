import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen, waitFor } from '@testing-library/react';
import { http } from 'msw';
import { afterEach, expect, test, vi } from 'vitest';
import { problem } from '@/mocks/handlers';
import { server } from '@/mocks/server';
import { PreviewPanel } from './preview-panel';

function panel(changes: Partial<Parameters<typeof PreviewPanel>[0]> = {}) {
  return (
    <PreviewPanel taskId="tsk_1" hasPreview isDone={false} isCaughtUp revision={0} {...changes} />
  );
}

function renderPanel(first: ReturnType<typeof panel>) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(first, {
    wrapper: ({ children }) => (
      <QueryClientProvider client={client}>{children}</QueryClientProvider>
    ),
  });
}

afterEach(() => {
  vi.useRealTimers();
});

const frame = () => screen.findByTitle('Preview of the program');

test('the program has a frame of its own origin, sandboxed', async () => {
  renderPanel(panel());
  const program = await frame();
  expect(program).toHaveAttribute('src', 'http://127.0.0.1:8100/?token=one');
  expect(program.getAttribute('sandbox')).not.toContain('allow-top-navigation');
});

test('events that are only read again do not load the program twice', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  const { rerender } = renderPanel(panel({ isCaughtUp: false }));
  rerender(panel({ isCaughtUp: true, revision: 5 }));
  const program = await frame();
  await vi.advanceTimersByTimeAsync(5000);
  expect(await frame()).toBe(program);
});

test('a newer program is loaded by itself', async () => {
  const { rerender } = renderPanel(panel());
  const program = await frame();
  rerender(panel({ revision: 1 }));
  await waitFor(async () => expect(await frame()).not.toBe(program));
});

test('a preview that does not start says why', async () => {
  server.use(
    http.post('/api/tasks/:taskId/preview', () => problem(503, 'preview_failed', 'Port taken.')),
  );
  renderPanel(panel());
  expect(await screen.findByText('Port taken.', {}, { timeout: 10_000 })).toBeVisible();
});
