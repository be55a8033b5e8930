import { formatNumber } from '@/lib/format';
import { agentLabel } from './roles';
import type { Thinking } from './task-view';

const SHOWN_LINES = 12;

/** The model's draft as it is written; not yet checked, so it looks unlike a file. */
export function ThinkingBox({ thinking }: { thinking: Thinking }) {
  const lines = thinking.text.split('\n').slice(-SHOWN_LINES).join('\n');
  return (
    <figure
      data-testid="thinking"
      className="overflow-hidden rounded-xl border border-dashed border-line-strong"
    >
      <figcaption className="flex flex-wrap items-baseline gap-x-3 px-3 py-2 text-[0.87rem]">
        <span className="font-medium">
          {agentLabel(thinking.role)} is writing
          {thinking.file && <code className="ml-1.5 font-mono font-normal">{thinking.file}</code>}
        </span>
        <span className="ml-auto text-ink-faint tabular-nums">
          {formatNumber(thinking.tokens)} tokens
          {thinking.tokensPerSecond !== null &&
            ` · ${thinking.tokensPerSecond.toFixed(1)} tokens/s`}
        </span>
      </figcaption>
      <div className="flex h-44 flex-col justify-end overflow-hidden border-t border-dashed border-line bg-sunken px-3 py-2">
        <pre className="font-mono text-[0.8rem] leading-relaxed break-words whitespace-pre-wrap text-ink-soft">
          {lines}
        </pre>
      </div>
    </figure>
  );
}
