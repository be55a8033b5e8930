import { isRecord } from '@/lib/json';
import { PayloadReader } from '@/lib/payload';

/** One agent as its newest state says. */
export interface AgentFacts {
  name: string;
  state: string;
  item: string;
  seconds: number;
  tokens: number;
}

export interface ScheduleItem {
  name: string;
  role: string;
  phase: string;
  dependsOn: readonly string[];
  /** queued, working, done, failed, skipped or cancelled. */
  state: string;
  /** Null: nothing of it has ended yet. Several tries are added up. */
  seconds: number | null;
  tokens: number | null;
  tries: number;
  reason: string;
}

export function readAgents(agents: Record<string, unknown>): AgentFacts[] {
  return Object.entries(agents)
    .filter(([, facts]) => isRecord(facts))
    .map(([name, facts]) => {
      const reader = new PayloadReader(facts);
      return {
        name,
        state: reader.text('state') || 'IDLE',
        item: reader.text('item'),
        seconds: reader.number('seconds') ?? 0,
        tokens: reader.number('tokens') ?? 0,
      };
    });
}

const nothingYet: ScheduleItem = {
  name: '',
  role: '',
  phase: '',
  dependsOn: [],
  state: 'queued',
  seconds: null,
  tokens: null,
  tries: 0,
  reason: '',
};

/** The schedule as it stands now; what is known of seconds and tokens stays. */
export function withSchedule(
  before: readonly ScheduleItem[],
  items: readonly PayloadReader[],
): ScheduleItem[] {
  return items.map((item) => {
    const name = item.text('item');
    const old = before.find((other) => other.name === name) ?? nothingYet;
    return {
      ...old,
      name,
      role: item.text('role') || old.role,
      phase: item.text('phase') || old.phase,
      dependsOn: item.has('depends_on') ? item.texts('depends_on') : old.dependsOn,
      state: item.text('state') || item.text('end') || old.state,
      tries: item.number('tries') ?? old.tries,
      reason: item.text('reason') || old.reason,
    };
  });
}

/** Adds what one try of an item took, as AGENT_COMPLETE tells it. */
export function withEndedItem(
  schedule: readonly ScheduleItem[],
  ended: PayloadReader,
): readonly ScheduleItem[] {
  const name = ended.text('item');
  const index = schedule.findIndex((item) => item.name === name);
  const item = schedule[index];
  if (!item) return schedule;
  return schedule.with(index, {
    ...item,
    state: ended.flag('is_done') === false ? 'failed' : 'done',
    seconds: (item.seconds ?? 0) + (ended.number('seconds') ?? 0),
    tokens: (item.tokens ?? 0) + (ended.number('tokens') ?? 0),
    tries: item.tries + 1,
    reason: ended.text('reason'),
  });
}

const phases = ['planning', 'backend', 'frontend', 'integration'];

export interface Phase {
  name: string;
  items: readonly ScheduleItem[];
}

/** Items by phase, in the order of the work; phases without items are left out. */
export function byPhase(schedule: readonly ScheduleItem[]): Phase[] {
  const others = schedule.map((item) => item.phase).filter((phase) => !phases.includes(phase));
  return [...phases, ...new Set(others)]
    .map((name) => ({ name, items: schedule.filter((item) => item.phase === name) }))
    .filter((phase) => phase.items.length > 0);
}
