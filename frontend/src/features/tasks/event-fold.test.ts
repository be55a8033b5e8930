import { expect, test } from 'vitest';
import type { TaskEvent } from '@/api/types';
import { createRecorder, sampleBuild } from '@/mocks/samples';
import { foldEvents } from './event-fold';
import { emptyTaskView } from './task-view';

const fold = (events = sampleBuild()) => foldEvents(emptyTaskView, events);

test('a recorded build folds into sections, checks, files and its end', () => {
  const view = fold();
  expect(view).toMatchObject({
    lastEventId: 15,
    status: 'SUCCEEDED',
    progress: 1,
    isPreviewRunning: true,
    revision: 2,
    thinking: null,
  });
  expect(view.sections.map(({ role, title, isOpen }) => [role, title, isOpen])).toEqual([
    ['ProductManager', 'Specification', false],
    ['Engineer', 'Files', false],
  ]);
  expect(view.sections[0]?.seconds).toBe(2.5);
  expect(view.sections[1]?.entries.map((entry) => entry.kind)).toEqual([
    'tool',
    'preview',
    'check',
    'check',
    'check',
    'file',
  ]);
});

test('a section without a reported time is timed by its events', () => {
  expect(fold().sections[1]?.seconds).toBe(8);
});

test('the newest outcome of a check counts, tries and the timeline aside', () => {
  const view = fold();
  expect(view.checks).toHaveLength(1);
  expect(view.checks[0]).toMatchObject({ name: 'counts words', passed: true });
});

test('events that come twice change nothing', () => {
  const once = fold();
  expect(
    foldEvents(
      once,
      sampleBuild().filter((event) => event.event_id !== null),
    ),
  ).toEqual(once);
});

test('events in pieces fold to the same view as at once', () => {
  const pieces = sampleBuild().reduce((view, event) => foldEvents(view, [event]), emptyTaskView);
  expect(pieces).toEqual(fold());
});

test('thinking grows by pieces, keeps the speed and ends with the next lasting event', () => {
  const events = sampleBuild();
  const during = fold(events.slice(0, 10));
  expect(during.thinking).toMatchObject({
    role: 'Engineer',
    file: 'main.py',
    text: 'def count',
    tokens: 2,
    tokensPerSecond: 19,
  });
  expect(fold(events.slice(0, 11)).thinking).toBeNull();
});

test('thinking starts anew for another file or another answer', () => {
  const event = createRecorder();
  const first = event('THINKING', { text: 'old', tokens: 9, file: 'a.py' });
  const next = foldEvents(emptyTaskView, [
    first,
    event('THINKING', { text: 'new', tokens: 10, file: 'b.py' }),
  ]);
  expect(next.thinking?.text).toBe('new');
  const again = foldEvents(next, [event('THINKING', { text: 'x', tokens: 1, file: 'b.py' })]);
  expect(again.thinking?.text).toBe('x');
});

test('the end of a task stops what was still open', () => {
  const event = createRecorder();
  const view = foldEvents(emptyTaskView, [
    event('AGENT_START', { title: 'Files' }),
    event('TOOL_START', { tool: 'tests', title: 'Run the tests' }),
    event('STATE', { status: 'CANCELLED', progress: 0.4 }, 'System'),
  ]);
  expect(view.sections[0]).toMatchObject({ isOpen: false, entries: [{ outcome: 'stopped' }] });
  expect(view.progress).toBe(0.4);
});

test('a tool that failed keeps its detail in its own line', () => {
  const event = createRecorder();
  const view = foldEvents(emptyTaskView, [
    event('AGENT_START', {}),
    event('TOOL_START', { tool: 'install', title: 'Install' }),
    event('TOOL_START', { tool: 'tests', title: 'Test' }),
    event('TOOL_COMPLETE', { tool: 'install', is_success: false, detail: 'no disk' }),
  ]);
  expect(view.sections[0]?.entries).toMatchObject([
    { tool: 'install', title: 'Install', outcome: 'failed', detail: 'no disk' },
    { tool: 'tests', outcome: 'running' },
  ]);
});

test('what nobody announced still has a place', () => {
  const event = createRecorder();
  const view = foldEvents(emptyTaskView, [
    event('ERROR', { code: 'no_engine', detail: 'No container engine.' }, 'System'),
    event('LOG', { text: 'first' }, 'QA'),
    event('LOG', { text: 'second' }, 'QA'),
  ]);
  expect(view.sections.map(({ role, entries }) => [role, entries.length])).toEqual([
    ['System', 1],
    ['QA', 2],
  ]);
});

test('an event of an unknown kind or with a broken payload does no harm', () => {
  const event = createRecorder();
  const odd: TaskEvent = JSON.parse(JSON.stringify({ ...event('LOG'), event_type: 'NEWS' }));
  const view = foldEvents(emptyTaskView, [odd, event('CHECK', { passed: 'yes' })]);
  expect(view.lastEventId).toBe(2);
  expect(view.checks[0]?.passed).toBeNull();
});
