import { Check, CircleAlert, FileMinus, FilePlus, MonitorPlay, Square, X } from 'lucide-react';
import { memo, type ReactNode } from 'react';
import { Spinner } from '@/components/ui/spinner';
import { cn } from '@/lib/cn';
import { formatBytes, formatSeconds } from '@/lib/format';
import { CheckRow } from '@/components/checks/check-row';
import type { TimelineEntry } from './task-view';

type EntryOf<Kind extends TimelineEntry['kind']> = Extract<TimelineEntry, { kind: Kind }>;

function Line({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <div className="flex gap-2.5 [&>svg]:mt-0.75 [&>svg]:size-4 [&>svg]:shrink-0">
      {icon}
      <div className="min-w-0 grow leading-snug break-words">{children}</div>
    </div>
  );
}

const toolIcons = {
  running: <Spinner className="text-accent" />,
  succeeded: <Check aria-label="Done" className="text-ink-faint" />,
  failed: <X aria-label="Failed" className="text-bad" />,
  stopped: <Square aria-label="Stopped" className="text-ink-faint" />,
};

function ToolEntry({ entry }: { entry: EntryOf<'tool'> }) {
  return (
    <Line icon={toolIcons[entry.outcome]}>
      <span className={cn(entry.outcome !== 'failed' && 'text-ink-soft')}>{entry.title}</span>
      {entry.seconds !== null && (
        <span className="ml-2 text-[0.8rem] text-ink-faint tabular-nums">
          {formatSeconds(entry.seconds)}
        </span>
      )}
      {entry.detail && entry.outcome === 'failed' && (
        <pre className="mt-1 max-h-40 overflow-auto font-mono text-[0.8rem] whitespace-pre-wrap text-ink-soft">
          {entry.detail}
        </pre>
      )}
    </Line>
  );
}

function FileEntry({ entry }: { entry: EntryOf<'file'> }) {
  const icon = entry.isRemoved ? (
    <FileMinus aria-hidden className="text-bad" />
  ) : (
    <FilePlus aria-hidden className="text-good" />
  );
  return (
    <Line icon={icon}>
      <code className="font-mono text-[0.87rem]">{entry.path}</code>
      <span className="ml-2 text-[0.8rem] text-ink-faint">
        {entry.isRemoved ? 'removed' : entry.size !== null && formatBytes(entry.size)}
      </span>
    </Line>
  );
}

export function FileGroupLine({ files }: { files: readonly EntryOf<'file'>[] }) {
  const removed = files.filter((file) => file.isRemoved).length;
  return (
    <Line icon={<FilePlus aria-hidden className="text-good" />}>
      <details>
        <summary className="hover:text-accent">
          {files.length} files{removed > 0 && `, ${removed} of them removed`}
        </summary>
        <ul className="mt-1.5 grid gap-1.5">
          {files.map((file) => (
            <li key={file.id}>
              <FileEntry entry={file} />
            </li>
          ))}
        </ul>
      </details>
    </Line>
  );
}

function PreviewEntry({ entry }: { entry: EntryOf<'preview'> }) {
  return (
    <Line
      icon={
        <MonitorPlay aria-hidden className={entry.isRunning ? 'text-good' : 'text-ink-faint'} />
      }
    >
      Preview {entry.isRunning ? 'is running' : 'stopped'}
      {entry.title && <span className="text-ink-soft">: {entry.title}</span>}
    </Line>
  );
}

function ErrorEntry({ entry }: { entry: EntryOf<'error'> }) {
  return (
    <Line icon={<CircleAlert aria-label="Error" className="text-bad" />}>
      <span className="whitespace-pre-wrap">{entry.detail}</span>
      {entry.code && (
        <span className="ml-2 font-mono text-[0.8rem] text-ink-faint">{entry.code}</span>
      )}
    </Line>
  );
}

function LogEntry({ entry }: { entry: EntryOf<'log'> }) {
  const isLoud = /^(warn|error|critical)/i.test(entry.level);
  return (
    <p
      className={cn(
        'pl-6.5 font-mono text-[0.8rem] break-words whitespace-pre-wrap',
        isLoud ? 'text-warn' : 'text-ink-faint',
      )}
    >
      {entry.text}
    </p>
  );
}

export const EntryLine = memo(function EntryLine({ entry }: { entry: TimelineEntry }) {
  switch (entry.kind) {
    case 'message':
      return <p className="leading-relaxed break-words whitespace-pre-wrap">{entry.text}</p>;
    case 'log':
      return <LogEntry entry={entry} />;
    case 'error':
      return <ErrorEntry entry={entry} />;
    case 'tool':
      return <ToolEntry entry={entry} />;
    case 'check':
      return <CheckRow check={entry.check} isCompact />;
    case 'file':
      return <FileEntry entry={entry} />;
    case 'preview':
      return <PreviewEntry entry={entry} />;
    default:
      return null;
  }
});
