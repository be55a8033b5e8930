import { ErrorNote } from '@/components/ui/error-note';
import { LoadingNote } from '@/components/ui/spinner';
import { cn } from '@/lib/cn';
import { diffLines } from './diff-lines';
import { useDiff } from './queries';

const styles = {
  file: 'mt-2 border-t border-line pt-2 font-semibold first:mt-0 first:border-0 first:pt-0',
  place: 'text-ink-faint',
  added: 'bg-good-soft text-good',
  removed: 'bg-bad-soft text-bad',
  same: 'text-ink-soft',
};

interface DiffViewProps {
  projectId: string;
  checkpointId: string;
}

/** What has changed since a checkpoint. */
export function DiffView({ projectId, checkpointId }: DiffViewProps) {
  const { data, error, isPending, refetch } = useDiff(projectId, checkpointId, '');
  if (isPending) return <LoadingNote label="Comparing" className="p-4" />;
  if (!data) {
    return <ErrorNote title="Could not compare" error={error} onRetry={() => void refetch()} />;
  }
  if (data.files.length === 0) {
    return <p className="text-[0.87rem] text-ink-faint">The files are as they were then.</p>;
  }
  return (
    <div className="grid min-w-0 grid-cols-1 gap-2" data-testid="diff">
      <ul className="grid gap-0.5 text-[0.84rem]" aria-label="Changed files">
        {data.files.map((file) => (
          <li key={file.path} className="flex gap-2 font-mono">
            <span className="min-w-0 grow break-all">{file.path}</span>
            <span className="shrink-0 tabular-nums">
              {file.added === null ? (
                'binary'
              ) : (
                <>
                  <span className="text-good">+{file.added}</span>{' '}
                  <span className="text-bad">−{file.removed}</span>
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
      {data.is_cut && (
        <p className="text-[0.8rem] text-warn">It is long: the middle is left out.</p>
      )}
      <pre
        tabIndex={0}
        aria-label="Difference"
        className="max-h-96 overflow-auto rounded-lg bg-sunken p-3 font-mono text-[0.8rem] leading-relaxed"
      >
        {diffLines(data.diff).map((line) => (
          <span key={line.id} className={cn('block whitespace-pre', styles[line.kind])}>
            {line.text || ' '}
          </span>
        ))}
      </pre>
    </div>
  );
}
