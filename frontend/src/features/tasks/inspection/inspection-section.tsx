import { FileJson, ScanSearch } from 'lucide-react';
import { toApiError } from '@/api/errors';
import type { Inspection } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatSeconds } from '@/lib/format';
import { groupFindings, structureText } from './inspection-data';
import { useExamine, useInspection, useSaveReport } from './queries';
import { Dependencies, Findings, NotExamined, ScoreParts, Secrets } from './report-lists';

function Score({ report }: { report: Inspection }) {
  const score = report.quality.score ?? null;
  return (
    <div className="flex flex-wrap items-baseline gap-x-4 gap-y-1">
      {score === null ? (
        <p className="font-medium">There is no code to judge</p>
      ) : (
        <p>
          <span data-testid="score" className="text-[1.6rem] font-semibold tabular-nums">
            {score}
          </span>{' '}
          <span className="text-ink-soft">of 100</span>
        </p>
      )}
      {report.state === 'partly' && <Badge tone="warn">examined in part</Badge>}
      <p className="min-w-0 text-[0.87rem] break-words text-ink-faint">
        {structureText(report)} · examined in {formatSeconds(report.seconds)}
      </p>
    </div>
  );
}

function Report({ report }: { report: Inspection }) {
  const groups = groupFindings(report.findings);
  const isClean = report.findings.length + report.secrets.length === 0;
  if (report.state === 'not_examined') {
    return (
      <p className="text-ink-soft">
        {report.not_examined.map(({ why }) => why).join(' ') || 'These files were not examined.'}
      </p>
    );
  }
  return (
    <div className="grid gap-5">
      <Score report={report} />
      <ScoreParts parts={report.quality.parts} />
      {isClean && <p className="text-good">No findings and no secrets.</p>}
      <Secrets secrets={report.secrets} />
      <Findings title="Security" findings={groups.security} isOpen />
      <Findings title="Code" findings={groups.other} isOpen={false} />
      <Dependencies packages={report.dependencies} />
      <NotExamined notes={report.not_examined} />
    </div>
  );
}

/** What was found in the files that an ended task left. */
export function InspectionSection({ taskId }: { taskId: string }) {
  const { data, error, refetch } = useInspection(taskId);
  const examine = useExamine(taskId);
  const save = useSaveReport(taskId);
  const problem = examine.error ?? save.error;
  const isThere = data !== undefined && data.state !== 'not_examined';
  return (
    <section aria-labelledby="inspection" data-testid="inspection" className="grid gap-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h3 id="inspection" className="grow text-[0.87rem] font-semibold text-ink-faint">
          Inspection of the files
        </h3>
        {isThere && (
          <Button size="small" tone="ghost" isBusy={save.isPending} onClick={() => save.mutate()}>
            <FileJson aria-hidden /> Full report
          </Button>
        )}
        <Button size="small" isBusy={examine.isPending} onClick={() => examine.mutate()}>
          <ScanSearch aria-hidden /> Examine now
        </Button>
      </div>
      {problem && <ErrorNote title="That did not work" error={toApiError(problem)} />}
      {!data && !error && <LoadingNote label="Reading the report" className="justify-start p-2" />}
      {error && (
        <ErrorNote title="Could not read the report" error={error} onRetry={() => void refetch()} />
      )}
      {data && <Report report={data} />}
    </section>
  );
}
