import { CircleSlash, Trash2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { checksByDepth, type LiveCheck } from './check-data';
import { CheckRow } from './check-row';

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-2.5 text-[0.87rem] font-semibold text-ink-faint">{title}</h3>
      {children}
    </section>
  );
}

function CheckGroup({ title, checks }: { title: string; checks: readonly LiveCheck[] }) {
  if (checks.length === 0) return null;
  return (
    <Group title={`${title} (${checks.length})`}>
      <ul className="grid gap-2.5 text-[0.93rem]">
        {checks.map((check) => (
          <li key={`${check.kind} ${check.name}`}>
            <CheckRow check={check} />
          </li>
        ))}
      </ul>
    </Group>
  );
}

/** How many of each depth passed, at a glance. */
function DepthTable({ checks }: { checks: readonly LiveCheck[] }) {
  const depths = checksByDepth(checks);
  if (depths.length < 2) return null;
  const cell = 'py-1.5 pl-3 text-right tabular-nums';
  return (
    <table className="w-full text-[0.93rem]">
      <caption className="sr-only">Checks by depth</caption>
      <thead className="text-[0.8rem] text-ink-faint">
        <tr>
          <th scope="col" className="pb-1 text-left font-normal">
            Depth
          </th>
          <th scope="col" className="pb-1 pl-3 text-right font-normal">
            Passed
          </th>
          <th scope="col" className="pb-1 pl-3 text-right font-normal">
            Failed
          </th>
          <th scope="col" className="pb-1 pl-3 text-right font-normal">
            Not run
          </th>
        </tr>
      </thead>
      <tbody>
        {depths.map((depth) => (
          <tr key={depth.title} className="border-t border-line">
            <th scope="row" className="py-1.5 text-left font-normal">
              {depth.title}
            </th>
            <td className={`${cell} ${depth.passed ? 'text-good' : 'text-ink-faint'}`}>
              {depth.passed}
            </td>
            <td className={`${cell} ${depth.failed ? 'text-bad' : 'text-ink-faint'}`}>
              {depth.failed}
            </td>
            <td className={`${cell} text-ink-faint`}>{depth.notRun}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface ClaimListProps {
  icon: ReactNode;
  claims: readonly string[];
}

function ClaimList({ icon, claims }: ClaimListProps) {
  return (
    <ul className="grid gap-2 text-[0.93rem]">
      {claims.map((claim) => (
        <li key={claim} className="flex gap-2.5 [&>svg]:mt-0.5 [&>svg]:size-4.5 [&>svg]:shrink-0">
          {icon}
          <span className="min-w-0 break-words">{claim}</span>
        </li>
      ))}
    </ul>
  );
}

interface CheckGroupsProps {
  checks: readonly LiveCheck[];
  unproven: readonly string[];
  /** Names of checks that a wrong program passes too. */
  discarded?: readonly string[];
}

const none: readonly string[] = [];

/** What was proven and what was not: by depth, then one by one. */
export function CheckGroups({ checks, unproven, discarded = none }: CheckGroupsProps) {
  return (
    <>
      <DepthTable checks={checks} />
      <CheckGroup title="Failed" checks={checks.filter((check) => check.passed === false)} />
      <CheckGroup title="Proven" checks={checks.filter((check) => check.passed === true)} />
      <CheckGroup title="Did not run" checks={checks.filter((check) => check.passed === null)} />
      {unproven.length > 0 && (
        <Group title={`Not proven (${unproven.length})`}>
          <ClaimList icon={<CircleSlash aria-hidden className="text-warn" />} claims={unproven} />
        </Group>
      )}
      {discarded.length > 0 && (
        <Group title={`Thrown away (${discarded.length})`}>
          <p className="mb-2 text-[0.87rem] text-ink-faint">
            A program without the work passes these too, so they prove nothing.
          </p>
          <ClaimList icon={<Trash2 aria-hidden className="text-ink-faint" />} claims={discarded} />
        </Group>
      )}
    </>
  );
}
