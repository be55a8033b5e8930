import { memo } from 'react';
import { ListTree } from 'lucide-react';
import { EmptyState } from '@/components/ui/note';
import { Spinner } from '@/components/ui/spinner';
import { cn } from '@/lib/cn';
import { formatSeconds } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { groupEntries } from './entry-groups';
import { roleLook } from './roles';
import type { TaskView, TimelineSection } from './task-view';
import { ThinkingBox } from './thinking-box';
import { EntryLine, FileGroupLine } from './timeline-entry';

function SectionTime({ section }: { section: TimelineSection }) {
  const now = useNow(1000, section.isOpen);
  const running = section.startedAt > 0 ? (now - section.startedAt) / 1000 : 0;
  const seconds = section.isOpen ? Math.max(0, Math.floor(running)) : section.seconds;
  if (seconds === null) return null;
  const text = section.isOpen && seconds < 10 ? `${seconds} s` : formatSeconds(seconds);
  return <span className="shrink-0 text-[0.8rem] text-ink-faint tabular-nums">{text}</span>;
}

const Section = memo(function Section({ section }: { section: TimelineSection }) {
  const { label, icon: Icon } = roleLook(section.role);
  return (
    <li className="relative pb-6 pl-10 not-last:before:absolute not-last:before:top-8 not-last:before:bottom-0 not-last:before:left-3.25 not-last:before:w-px not-last:before:bg-line">
      <span
        aria-hidden
        className={cn(
          'absolute top-0 left-0 grid size-7 place-items-center rounded-full [&_svg]:size-3.75',
          section.isOpen ? 'bg-accent-soft text-accent' : 'bg-sunken text-ink-soft',
        )}
      >
        {section.isOpen ? <Spinner /> : <Icon />}
      </span>
      <div className="flex min-h-7 items-baseline gap-2 pt-0.5">
        <h3 className="min-w-0 grow">
          <span className="font-semibold">{label}</span>
          {section.title && <span className="text-ink-soft"> · {section.title}</span>}
        </h3>
        <SectionTime section={section} />
      </div>
      {section.entries.length > 0 && (
        <ol className="mt-1.5 grid gap-2 text-[0.93rem]">
          {groupEntries(section.entries).map((group) => (
            <li key={group.id}>
              {group.kind === 'files' ? (
                <FileGroupLine files={group.files} />
              ) : (
                <EntryLine entry={group.entry} />
              )}
            </li>
          ))}
        </ol>
      )}
    </li>
  );
});

export function Timeline({ view, isWaiting }: { view: TaskView; isWaiting: boolean }) {
  if (view.sections.length === 0 && !view.thinking) {
    return (
      <EmptyState
        icon={<ListTree />}
        title={isWaiting ? 'Waiting for the first step' : 'No steps yet'}
      >
        Each step of the team appears here as it happens.
      </EmptyState>
    );
  }
  return (
    <div>
      <h2 className="sr-only">Timeline</h2>
      <ol>
        {view.sections.map((section) => (
          <Section key={section.id} section={section} />
        ))}
      </ol>
      {view.thinking && (
        <div className="pb-6 pl-10">
          <ThinkingBox thinking={view.thinking} />
        </div>
      )}
    </div>
  );
}
