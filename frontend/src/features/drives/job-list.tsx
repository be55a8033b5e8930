import type { ReactNode } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { DriveJob } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { ProgressBar } from '@/components/ui/progress-bar';
import { formatAgo } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { isEnded, progressText, shareOf, stateOf } from './drive-data';
import { useCancelJob, useJobs } from './transfer-queries';

interface JobStateProps {
  title: string;
  job: DriveJob;
  action?: ReactNode;
}

/** How far something that is moved has come, and what stands in its way. */
export function JobState({ title, job, action }: JobStateProps) {
  const now = useNow(1_000, !isEnded(job));
  const { label, tone } = stateOf(job);
  return (
    <div className="grid gap-1.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <p className="flex min-w-0 grow flex-wrap items-center gap-2">
          <span className="font-medium">{title}</span>
          <Badge tone={tone}>{label}</Badge>
          <span className="text-[0.87rem] text-ink-faint">{formatAgo(job.created_at, now)}</span>
        </p>
        {action}
      </div>
      {!isEnded(job) && <ProgressBar value={shareOf(job)} label={title} />}
      <p className="text-[0.87rem] text-ink-soft">{progressText(job, now)}</p>
      {job.detail && (
        <p className="text-[0.93rem] break-words text-ink-soft">
          {job.detail} <span className="font-mono text-[0.8rem] text-ink-faint">{job.error}</span>
        </p>
      )}
    </div>
  );
}

const titles: Record<DriveJob['kind'], string> = {
  import: 'Brought from a drive',
  export: 'Put onto a drive',
  sync: 'Brought into step',
};

/** The last imports and exports. */
export function JobList({ projectId, isReadOnly }: { projectId: string; isReadOnly: boolean }) {
  const { data, error, refetch } = useJobs(projectId);
  const cancel = useCancelJob(projectId);
  if (error) {
    return (
      <ErrorNote
        title="Could not read what was moved"
        error={error}
        onRetry={() => void refetch()}
      />
    );
  }
  if (!data || data.length === 0) return null;
  return (
    <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
      {data.map((job) => (
        <li key={job.job_id} data-testid="drive-job" className="px-4 py-3">
          <JobState
            title={titles[job.kind]}
            job={job}
            action={
              !isEnded(job) &&
              !isReadOnly && (
                <Button
                  size="small"
                  isBusy={cancel.isPending || job.is_cancelling}
                  onClick={() =>
                    cancel.mutate(job, {
                      onError: (problem) =>
                        void toast.error('It goes on', {
                          description: toApiError(problem).detail,
                        }),
                    })
                  }
                >
                  Stop
                </Button>
              )
            }
          />
        </li>
      ))}
    </ul>
  );
}
