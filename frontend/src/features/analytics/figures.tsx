import { ChartColumn } from 'lucide-react';
import { useId, useState } from 'react';
import type { Analytics, AnalyticsGroup } from '@/api/types';
import { ErrorNote } from '@/components/ui/error-note';
import { CheckField, InlineSelect } from '@/components/ui/field';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatNumber } from '@/lib/format';
import { useAnalytics } from './queries';

const spans = [1, 7, 30, 90, 366];

type Figures = Analytics['total'];

function percent(rate: number | null): string {
  return rate === null ? '–' : `${Math.round(rate * 100)} %`;
}

function minutes(value: number | null): string {
  return value === null ? '–' : `${value.toFixed(value < 10 ? 1 : 0)} min`;
}

function Rate({ rate }: { rate: number | null }) {
  return (
    <span className="flex items-center justify-end gap-2.5">
      <span aria-hidden className="h-1.5 w-20 overflow-hidden rounded-full bg-sunken max-sm:hidden">
        <span
          className="block h-full rounded-full bg-good"
          style={{ width: `${(rate ?? 0) * 100}%` }}
        />
      </span>
      {percent(rate)}
    </span>
  );
}

function Total({ total }: { total: Figures }) {
  const facts: [string, string][] = [
    ['Tasks', formatNumber(total.tasks)],
    ['Succeeded', percent(total.success_rate)],
    ['Half take at most', minutes(total.minutes_p50)],
    ['95 of 100 at most', minutes(total.minutes_p95)],
    ['Tokens', formatNumber(total.tokens_in + total.tokens_out)],
    ['Cost', `$${total.cost_usd.toFixed(2)}`],
  ];
  return (
    <dl className="grid grid-cols-[repeat(auto-fill,minmax(8.5rem,1fr))] gap-x-4 gap-y-4 rounded-xl bg-sunken px-4 py-4">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt className="text-[0.8rem] text-ink-faint">{name}</dt>
          <dd className="text-[1.2rem] font-semibold tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const heads = ['Tasks', 'Succeeded', 'Minutes (half)', 'Minutes (95 %)', 'Tokens a task', 'Cost'];

function GroupTable({ title, groups }: { title: string; groups: readonly AnalyticsGroup[] }) {
  const id = useId();
  if (groups.length === 0) return null;
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className="mb-2 text-[1.07rem] font-semibold tracking-tight">
        {title}
      </h2>
      <div
        role="group"
        aria-labelledby={id}
        tabIndex={0}
        className="overflow-x-auto rounded-xl border border-line bg-surface"
      >
        <table className="w-full min-w-150 text-[0.93rem] tabular-nums">
          <thead className="text-[0.8rem] text-ink-faint">
            <tr>
              <th scope="col" className="px-4 py-2 text-left font-normal">
                Name
              </th>
              {heads.map((head) => (
                <th key={head} scope="col" className="px-4 py-2 text-right font-normal">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {groups.map((group) => (
              <tr key={group.name} className="border-t border-line text-right">
                <th scope="row" className="px-4 py-2.5 text-left font-medium break-all">
                  {group.name || 'none'}
                </th>
                <td className="px-4">{formatNumber(group.tasks)}</td>
                <td className="px-4">
                  <Rate rate={group.success_rate} />
                </td>
                <td className="px-4">{minutes(group.minutes_p50)}</td>
                <td className="px-4">{minutes(group.minutes_p95)}</td>
                <td className="px-4">
                  {formatNumber(
                    Math.round((group.tokens_in + group.tokens_out) / Math.max(group.tasks, 1)),
                  )}
                </td>
                <td className="px-4">${group.cost_usd.toFixed(2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Tables({ data }: { data: Analytics }) {
  if (data.total.tasks === 0) {
    return (
      <div className="rounded-xl border border-line bg-surface">
        <EmptyState icon={<ChartColumn />} title="No task ended in this time">
          Figures come from the events of tasks that have ended.
        </EmptyState>
      </div>
    );
  }
  return (
    <>
      <Total total={data.total} />
      <GroupTable title="By model" groups={data.models} />
      <GroupTable title="By kind" groups={data.kinds} />
      <GroupTable title="By blueprint" groups={data.blueprints} />
      <GroupTable title="By runner" groups={data.runners} />
    </>
  );
}

export function FiguresPanel({ isAdmin }: { isAdmin: boolean }) {
  const [days, setDays] = useState(30);
  const [isOfAll, setIsOfAll] = useState(false);
  const { data, error, isPending, refetch } = useAnalytics(days, isOfAll);
  return (
    <div className="grid grid-cols-1 gap-7">
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
        <InlineSelect
          id="days"
          label="The last"
          value={days}
          onChange={(event) => setDays(Number(event.target.value))}
        >
          {spans.map((span) => (
            <option key={span} value={span}>
              {span === 1 ? '1 day' : `${span} days`}
            </option>
          ))}
        </InlineSelect>
        {isAdmin && (
          <CheckField
            id="all-users"
            label="Of all users"
            checked={isOfAll}
            onChange={(event) => setIsOfAll(event.target.checked)}
          />
        )}
      </div>
      {error && (
        <ErrorNote
          title="Could not read the figures"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {isPending && !error && <LoadingNote label="Counting" />}
      {data && <Tables data={data} />}
    </div>
  );
}
