import { ExternalLink, MonitorOff, RotateCw } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button, buttonClass } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { usePreviewLink } from './queries';

const SETTLE_MILLISECONDS = 1500;

interface PreviewPanelProps {
  taskId: string;
  hasPreview: boolean;
  isDone: boolean;
  /** The events so far have been read; what changes from now on is news. */
  isCaughtUp: boolean;
  /** Grows with each accepted file: the frame then loads the newer program. */
  revision: number;
}

/** The counter to show; it follows `revision` once that has rested and nobody is in the frame. */
function useSettledRevision(revision: number, frame: { current: HTMLIFrameElement | null }) {
  const [shown, setShown] = useState(revision);
  const [isNewer, setIsNewer] = useState(false);
  useEffect(() => {
    if (shown === revision) return undefined;
    const timer = setTimeout(() => {
      const isInUse = frame.current !== null && document.activeElement === frame.current;
      setIsNewer(isInUse);
      if (!isInUse) setShown(revision);
    }, SETTLE_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [revision, shown, frame]);
  const accept = () => {
    setIsNewer(false);
    setShown(revision);
  };
  return { shown, isNewer, accept };
}

/** The running program, with its address and what can be done with it. */
function PreviewFrame({ taskId, revision }: { taskId: string; revision: number }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [reloads, setReloads] = useState(0);
  const link = usePreviewLink(taskId);
  const { shown, isNewer, accept } = useSettledRevision(revision, frame);

  if (link.error) {
    return (
      <ErrorNote
        className="m-4"
        title="The preview did not start"
        error={link.error}
        onRetry={() => void link.refetch()}
      />
    );
  }
  if (!link.data) return <LoadingNote label="Starting the preview" />;
  const { url } = link.data;
  const reload = async () => {
    await link.refetch();
    accept();
    setReloads((count) => count + 1);
  };
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex h-11 shrink-0 items-center gap-1.5 border-b border-line px-3">
        <span className="mr-auto min-w-0 truncate rounded-md bg-sunken px-2.5 py-1 font-mono text-[0.8rem] text-ink-soft">
          {new URL(url).host}
        </span>
        {isNewer && (
          <span role="status" className="text-[0.87rem] text-ink-soft">
            There is a newer version
          </span>
        )}
        <Button
          tone="ghost"
          size="icon"
          aria-label="Reload the preview"
          title="Reload"
          isBusy={link.isFetching}
          onClick={() => void reload()}
        >
          {!link.isFetching && <RotateCw aria-hidden />}
        </Button>
        <a
          href={url}
          target="_blank"
          rel="noopener noreferrer"
          className={buttonClass({ tone: 'ghost', size: 'small' })}
        >
          <ExternalLink aria-hidden /> Open in new tab
        </a>
      </div>
      <iframe
        ref={frame}
        key={`${reloads}.${shown}`}
        title="Preview of the program"
        src={url}
        // It has an origin of its own (its port), so keeping that origin gives it nothing of ours.
        // oxlint-disable-next-line react/iframe-missing-sandbox
        sandbox="allow-scripts allow-same-origin allow-forms allow-modals allow-popups allow-downloads"
        referrerPolicy="no-referrer"
        className="min-h-96 w-full grow bg-white"
      />
    </div>
  );
}

export function PreviewPanel(props: PreviewPanelProps) {
  const { taskId, hasPreview, isDone, isCaughtUp, revision } = props;
  const [wasCaughtUp, setWasCaughtUp] = useState(isCaughtUp);
  if (isCaughtUp && !wasCaughtUp) setWasCaughtUp(true);
  if (!hasPreview) {
    return (
      <EmptyState icon={<MonitorOff />} title={isDone ? 'Nothing to preview' : 'No preview yet'}>
        {isDone
          ? 'This program has no page. Read its files, or download the zip and run it.'
          : 'A web program appears here as soon as its blueprint runs.'}
      </EmptyState>
    );
  }
  if (!wasCaughtUp) return <LoadingNote label="Reading the build" />;
  return <PreviewFrame taskId={taskId} revision={revision} />;
}
