import { Check, ChevronRight, Square, X } from 'lucide-react';
import { Spinner } from '@/components/ui/spinner';
import { formatSeconds } from '@/lib/format';
import type { ToolUse } from './turn-view';

const cells: Record<string, string> = { run_python: 'code', run_command: 'command' };

function Outcome({ use, isOver }: { use: ToolUse; isOver: boolean }) {
  if (use.isOk === true) return <Check aria-label="Done" className="text-good" />;
  if (use.isOk === false) return <X aria-label="Failed" className="text-bad" />;
  return isOver ? (
    <Square aria-label="Stopped" className="text-ink-faint" />
  ) : (
    <Spinner className="text-accent" />
  );
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function brief(use: ToolUse): string {
  const values = Object.values(use.arguments).map(asText);
  return values.join(' ').replaceAll(/\s+/g, ' ').slice(0, 90);
}

const box =
  'max-h-64 overflow-auto px-3 py-2 font-mono text-[0.8rem] break-words whitespace-pre-wrap';

/** One call of a tool, folded; what a program printed is under its code. */
export function ToolLine({ use, isOver }: { use: ToolUse; isOver: boolean }) {
  const cell = cells[use.tool];
  const code = cell ? asText(use.arguments[cell] ?? '') : '';
  const rest = Object.entries(use.arguments).filter(([name]) => name !== cell);
  return (
    <details
      data-testid="tool"
      className="group min-w-0 rounded-lg border border-line bg-surface"
      // Code and its output are what the reader came for; other calls are one line.
      open={use.isOk === false}
    >
      <summary className="flex list-none items-center gap-2 px-3 py-1.75 text-[0.87rem] [&_svg]:size-3.75 [&_svg]:shrink-0">
        <ChevronRight
          aria-hidden
          className="text-ink-faint transition-transform group-open:rotate-90"
        />
        <Outcome use={use} isOver={isOver} />
        <span className="shrink-0 font-medium">{use.tool.replaceAll('_', ' ') || 'tool'}</span>
        <span className="min-w-0 grow truncate font-mono text-[0.8rem] text-ink-faint">
          {brief(use)}
        </span>
        {use.seconds !== null && (
          <span className="shrink-0 text-[0.8rem] text-ink-faint tabular-nums">
            {formatSeconds(use.seconds)}
          </span>
        )}
      </summary>
      <div className="divide-y divide-line border-t border-line">
        {code && (
          <pre tabIndex={0} aria-label="Code" className={`${box} bg-sunken`}>
            {code}
          </pre>
        )}
        {rest.map(([name, value]) => (
          <pre key={name} tabIndex={0} aria-label={name} className={`${box} bg-sunken`}>
            <span className="text-ink-faint">{name}: </span>
            {asText(value)}
          </pre>
        ))}
        {use.text && (
          <pre tabIndex={0} aria-label="Result" className={`${box} text-ink-soft`}>
            {use.text}
          </pre>
        )}
      </div>
    </details>
  );
}
