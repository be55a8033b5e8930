import { FileQuestion, Play } from 'lucide-react';
import type { ProjectPlan, RunMode, RunReport } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState, Note } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatSeconds } from '@/lib/format';
import { usePlans, useRunProject } from './queries';

const kinds: Record<ProjectPlan['kind'], string> = {
  python: 'Python program',
  fastapi: 'FastAPI web program',
  flask: 'Flask web program',
  django: 'Django site',
  node: 'Node.js program',
  vite: 'Vite web page',
  next: 'Next.js site',
  static: 'Web page',
  go: 'Go program',
};

function Report({ report }: { report: RunReport }) {
  const name = kinds[report.plan.kind];
  const steps = report.steps.map((step) => `${step.name} ${formatSeconds(step.seconds)}`);
  return (
    <Note title={report.service ? `The ${name} is running` : `The ${name} is ready`}>
      {steps.length > 0 && `Done before: ${steps.join(', ')}. `}
      {report.service
        ? 'Open or share it below.'
        : 'It is a program for the command line, so nothing keeps running. Download the zip to use it.'}
    </Note>
  );
}

interface PlanRowProps {
  plan: ProjectPlan;
  isBusy: boolean;
  isDisabled: boolean;
  onRun: (mode: RunMode) => void;
}

function PlanRow({ plan, isBusy, isDisabled, onRun }: PlanRowProps) {
  const place = plan.root && plan.root !== '.' ? ` in ${plan.root}` : '';
  const reloads = (plan.develop ?? []).length > 0;
  const command = (reloads && plan.develop ? plan.develop : plan.run).join(' ');
  const kind = kinds[plan.kind];
  return (
    <li className="flex flex-wrap items-center gap-x-5 gap-y-3 px-4 py-3.5" data-testid="plan">
      <div className="min-w-0 grow basis-64">
        <p className="font-medium">
          {kind}
          {place && <span className="font-normal text-ink-soft">{place}</span>}
        </p>
        <p className="mt-1 truncate font-mono text-[0.8rem] text-ink-soft" title={command}>
          {command}
        </p>
        <p className="mt-1 text-[0.87rem] text-ink-faint">
          {plan.port ? `Serves port ${plan.port}` : 'For the command line'}
          {reloads && ', reloads as files change'}
        </p>
      </div>
      <div className="flex flex-wrap gap-2">
        {reloads && (
          <Button
            tone="ghost"
            size="small"
            disabled={isDisabled}
            aria-label={`Run the ${kind}${place} as in production`}
            onClick={() => onRun('production')}
          >
            As in production
          </Button>
        )}
        <Button
          tone="primary"
          size="small"
          isBusy={isBusy}
          disabled={isDisabled}
          aria-label={`Run the ${kind}${place}`}
          onClick={() => onRun(reloads ? 'development' : 'production')}
        >
          {!isBusy && <Play aria-hidden />} {isBusy ? 'Preparing' : 'Run'}
        </Button>
      </div>
    </li>
  );
}

/** The ways in which the project's files say that it is run. */
export function PlanList({ projectId }: { projectId: string }) {
  const plans = usePlans(projectId);
  const run = useRunProject(projectId);
  if (plans.isPending) return <LoadingNote label="Looking at the files" />;
  if (plans.error) {
    return (
      <ErrorNote
        title="Could not tell how this is run"
        error={plans.error}
        onRetry={() => void plans.refetch()}
      />
    );
  }
  const list = plans.data.plans;
  return (
    <div className="grid grid-cols-1 gap-3">
      {list.length === 0 ? (
        <div className="rounded-xl border border-line bg-surface">
          <EmptyState icon={<FileQuestion />} title="No file says how this is run">
            A main.py, package.json, index.html or go.mod would.
          </EmptyState>
        </div>
      ) : (
        <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
          {list.map((plan) => (
            <PlanRow
              key={plan.root}
              plan={plan}
              isBusy={run.isPending && run.variables.root === plan.root}
              isDisabled={run.isPending}
              onRun={(mode) => run.mutate({ root: plan.root ?? '.', mode })}
            />
          ))}
        </ul>
      )}
      {run.error && <ErrorNote title="The project does not run" error={run.error} />}
      {run.data && !run.isPending && <Report report={run.data} />}
    </div>
  );
}
