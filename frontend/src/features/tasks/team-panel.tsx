import { Network } from 'lucide-react';
import type { TaskState } from '@/api/types';
import { Badge, type Tone } from '@/components/ui/badge';
import { EmptyState } from '@/components/ui/note';
import { PlanEditor } from '@/components/decision/plan-editor';
import { formatNumber, formatSeconds } from '@/lib/format';
import { PayloadReader } from '@/lib/payload';
import { readReceipt } from './receipt-data';
import { agentLabel } from './roles';
import type { TaskView } from './task-view';
import { byPhase, readAgents, withSchedule, type AgentFacts, type ScheduleItem } from './team-data';

const tones: Record<string, Tone> = {
  PLANNING: 'accent',
  WORKING: 'accent',
  CHECKING: 'accent',
  WAITING: 'warn',
  DONE: 'good',
  FAILED: 'bad',
};

function StateBadge({ state }: { state: string }) {
  const label = state.charAt(0).toUpperCase() + state.slice(1).toLowerCase();
  return <Badge tone={tones[state.toUpperCase()] ?? 'calm'}>{label}</Badge>;
}

function Usage({ seconds, tokens }: { seconds: number | null; tokens: number | null }) {
  if (seconds === null || tokens === null) return null;
  return (
    <span className="shrink-0 text-[0.8rem] text-ink-faint tabular-nums">
      {formatSeconds(seconds)} · {formatNumber(tokens)} tokens
    </span>
  );
}

function ItemRow({ item }: { item: ScheduleItem }) {
  return (
    <li className="px-3.5 py-2.5" data-testid="schedule-item" data-state={item.state}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="min-w-0 font-medium break-words">{item.name}</span>
        <span className="text-[0.87rem] text-ink-soft">{agentLabel(item.role)}</span>
        <StateBadge state={item.state} />
        <span className="ml-auto">
          <Usage seconds={item.seconds} tokens={item.tokens} />
        </span>
      </div>
      {(item.dependsOn.length > 0 || item.tries > 1) && (
        <p className="mt-0.5 text-[0.8rem] break-words text-ink-faint">
          {[
            item.dependsOn.length > 0 ? `after ${item.dependsOn.join(', ')}` : '',
            item.tries > 1 ? `${item.tries} tries` : '',
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
      )}
      {item.reason && item.state !== 'done' && (
        <p className="mt-1 text-[0.87rem] break-words text-ink-soft">{item.reason}</p>
      )}
    </li>
  );
}

function Schedule({ items }: { items: readonly ScheduleItem[] }) {
  return (
    <section aria-labelledby="schedule">
      <h2 id="schedule" className="mb-3 text-[1.07rem] font-semibold">
        Schedule
      </h2>
      <div className="grid gap-4">
        {byPhase(items).map((phase) => (
          <div key={phase.name}>
            <h3 className="mb-1.5 text-[0.87rem] font-medium text-ink-faint capitalize">
              {phase.name}
            </h3>
            <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
              {phase.items.map((item) => (
                <ItemRow key={item.name} item={item} />
              ))}
            </ul>
          </div>
        ))}
      </div>
    </section>
  );
}

function Agents({ agents }: { agents: readonly AgentFacts[] }) {
  return (
    <section aria-labelledby="agents">
      <h2 id="agents" className="mb-3 text-[1.07rem] font-semibold">
        Agents
      </h2>
      <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
        {agents.map((agent) => (
          <li
            key={agent.name}
            data-testid="agent"
            className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3.5 py-2.5"
          >
            <span className="font-medium">{agentLabel(agent.name)}</span>
            <StateBadge state={agent.state} />
            {agent.item && (
              <span className="min-w-0 text-[0.87rem] break-all text-ink-soft">{agent.item}</span>
            )}
            <span className="ml-auto">
              <Usage seconds={agent.seconds} tokens={agent.tokens} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Who works on what: the schedule by phase, the agents, the plan that was shown. */
export function TeamPanel({ task, view }: { task: TaskState; view: TaskView }) {
  const details = new PayloadReader(readReceipt(task.final_result)?.details);
  const schedule = details.has('schedule')
    ? withSchedule(view.schedule, details.readers('schedule'))
    : view.schedule;
  const agents = details.has('agents') ? readAgents(details.record('agents')) : view.agents;
  if (schedule.length === 0 && agents.length === 0 && !view.plan) {
    return (
      <EmptyState icon={<Network />} title="No team at work">
        A build’s schedule and its agents appear here; a single agent works without one.
      </EmptyState>
    );
  }
  return (
    <div className="mx-auto grid max-w-3xl gap-8 p-5 sm:p-7">
      {schedule.length > 0 && <Schedule items={schedule} />}
      {agents.length > 0 && <Agents agents={agents} />}
      {view.plan && !task.waiting_for && (
        <section aria-labelledby="plan-shown">
          <h2 id="plan-shown" className="mb-3 text-[1.07rem] font-semibold">
            The plan that you were shown
          </h2>
          <PlanEditor details={view.plan} isReadOnly onChange={() => undefined} />
        </section>
      )}
    </div>
  );
}
