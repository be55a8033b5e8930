import { useEffect, useState } from 'react';
import { ErrorNote } from '@/components/ui/error-note';
import { FollowingScroller } from '@/components/ui/following-scroller';
import { LoadingNote } from '@/components/ui/spinner';
import { followLog, noLog } from './follow-log';
import { readLog } from './queries';

interface ServiceLogProps {
  projectId: string;
  name: string;
}

/** The end of what a service prints; it follows while it is shown. */
export function ServiceLog({ projectId, name }: ServiceLogProps) {
  const [log, setLog] = useState(noLog);
  useEffect(() => {
    const controller = new AbortController();
    void followLog(
      (cursor, signal) => readLog(projectId, name, cursor, signal),
      controller.signal,
      setLog,
    );
    return () => controller.abort();
  }, [projectId, name]);

  if (!log.isRead && !log.error) return <LoadingNote label="Reading the log" className="p-4" />;
  return (
    <div className="border-t border-line">
      {log.error && (
        <ErrorNote className="m-3" title="The log cannot be followed" error={log.error} />
      )}
      <FollowingScroller
        label={`Log of ${name}`}
        growth={log.text.length}
        isGrowing
        className="max-h-72 overflow-y-auto px-4 py-3 outline-offset-[-2px]"
      >
        {log.isCut && (
          <p className="mb-2 text-[0.87rem] text-ink-faint">
            Earlier lines are not shown any more.
          </p>
        )}
        {log.text ? (
          <pre className="font-mono text-[0.8rem] leading-relaxed break-words whitespace-pre-wrap text-ink-soft">
            {log.text}
          </pre>
        ) : (
          <p className="text-[0.87rem] text-ink-faint">It has printed nothing so far.</p>
        )}
      </FollowingScroller>
    </div>
  );
}
