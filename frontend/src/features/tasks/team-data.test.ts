import { expect, test } from 'vitest';
import { createRecorder } from '@/mocks/samples';
import { foldEvents } from './event-fold';
import { emptyTaskView } from './task-view';
import { byPhase } from './team-data';

const items: Record<string, unknown>[] = [
  { item: 'spec', role: 'ProductManager', phase: 'planning', depends_on: [], state: 'queued' },
  { item: 'proof', role: 'QA', phase: 'integration', depends_on: ['spec'], state: 'queued' },
];

test('the schedule and the agents follow the events, tries added up', () => {
  const event = createRecorder();
  const agents = { Architect: { state: 'WORKING', item: 'plan', seconds: 2.5, tokens: 120 } };
  const ended = { item: 'spec', seconds: 4, tokens: 100 };
  const view = foldEvents(emptyTaskView, [
    event('STATE', { status: 'RUNNING', schedule: items, agents }, 'System'),
    event('AGENT_COMPLETE', { ...ended, is_done: false, reason: 'no answer' }),
    event('AGENT_COMPLETE', { ...ended, is_done: true }),
    event('STATE', { status: 'RUNNING', schedule: items.with(0, { ...items[0], state: 'done' }) }),
  ]);
  expect(byPhase(view.schedule).map((phase) => phase.name)).toEqual(['planning', 'integration']);
  expect(view.schedule[0]).toMatchObject({ state: 'done', seconds: 8, tokens: 200, tries: 2 });
  expect(view.schedule[1]).toMatchObject({ state: 'queued', seconds: null, dependsOn: ['spec'] });
  expect(view.agents).toEqual([
    { name: 'Architect', state: 'WORKING', item: 'plan', seconds: 2.5, tokens: 120 },
  ]);
});

test('the plan of a question stays to be read after the answer', () => {
  const event = createRecorder();
  const details = { plan: { items: [] } };
  const view = foldEvents(emptyTaskView, [
    event('STATE', { status: 'WAITING', question: { key: 'plan', kind: 'plan', details } }),
    event('STATE', { status: 'RUNNING' }),
  ]);
  expect(view.plan).toEqual(details);
  expect(view.status).toBe('RUNNING');
});
