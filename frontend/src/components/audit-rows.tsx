interface AuditRow {
  audit_id: string;
  recorded_at: string;
  event: string;
  actor_id: string | null;
  subject: string;
  address: string;
  details: Record<string, string | number | boolean>;
}

function facts(row: AuditRow, hasActor: boolean): string {
  const parts = [row.subject, row.address && `from ${row.address}`];
  if (hasActor) parts.unshift(row.actor_id ? `by ${row.actor_id}` : 'by nobody known');
  for (const [name, value] of Object.entries(row.details)) {
    parts.push(`${name.replaceAll('_', ' ')}: ${String(value)}`);
  }
  return parts.filter(Boolean).join(' · ');
}

/** Security events, newest first. */
export function AuditRows({ rows, hasActor }: { rows: AuditRow[]; hasActor: boolean }) {
  return (
    <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
      {rows.map((row) => (
        <li
          key={row.audit_id}
          data-testid="audit-entry"
          className="flex flex-wrap items-baseline gap-x-4 gap-y-1 px-4 py-2.5"
        >
          <span className="font-mono text-[0.87rem]">{row.event}</span>
          <span className="min-w-0 grow basis-64 text-[0.87rem] break-words text-ink-soft">
            {facts(row, hasActor)}
          </span>
          <time dateTime={row.recorded_at} className="text-[0.87rem] text-ink-faint">
            {new Date(row.recorded_at).toLocaleString()}
          </time>
        </li>
      ))}
    </ul>
  );
}
