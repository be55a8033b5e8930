import { Gauge } from 'lucide-react';
import type { FitReport, ModelInfo } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { ProgressBar } from '@/components/ui/progress-bar';
import { LoadingNote } from '@/components/ui/spinner';
import { formatAgo, formatBytes, formatSeconds } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { fitFacts } from './fit-facts';
import { useFit, useMeasuring } from './queries';

const forecasts: Record<string, string> = {
  build: 'A build',
  change: 'A change',
  chat: 'A turn of a chat',
  solve: 'A function',
};

function Facts({ report }: { report: FitReport }) {
  const { fit } = report;
  return (
    <>
      <dl className="grid grid-cols-[repeat(auto-fill,minmax(9.5rem,1fr))] gap-x-4 gap-y-3">
        {fitFacts(fit).map(([name, value]) => (
          <div key={name} className="min-w-0">
            <dt className="text-[0.8rem] text-ink-faint">{name}</dt>
            <dd className="font-medium break-words tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      <p className="text-[0.93rem] text-ink-soft">
        <span className="text-ink-faint">
          {fit.is_assumed ? 'A cautious guess: ' : 'By its speed, about: '}
        </span>
        {Object.entries(report.forecast_seconds)
          .map(([kind, seconds]) => `${forecasts[kind] ?? kind} ${formatSeconds(seconds)}`)
          .join(' · ')}
      </p>
      {fit.notes.map((note) => (
        <p key={note} className="text-[0.87rem] break-words text-warn">
          {note}
        </p>
      ))}
      {!fit.is_assumed && fit.unmeasured.length > 0 && (
        <p className="text-[0.87rem] text-ink-faint">Not measured: {fit.unmeasured.join(', ')}.</p>
      )}
    </>
  );
}

function Measured({ report }: { report: FitReport }) {
  const now = useNow(60_000);
  const { fit } = report;
  if (fit.is_assumed) return <Badge tone="warn">Not measured: what its provider says</Badge>;
  const when = fit.probed_at ? ` ${formatAgo(fit.probed_at, now)}` : '';
  return <Badge tone="good">{`Measured${when}, in ${formatSeconds(fit.probe_seconds)}`}</Badge>;
}

interface FitCardProps {
  model: ModelInfo;
  isDefault: boolean;
  roles: readonly string[];
}

type MeasuringState = ReturnType<typeof useMeasuring>;

function MeasureButton(props: {
  model: ModelInfo;
  measuring: MeasuringState;
  isMeasured: boolean;
}) {
  const { model, measuring, isMeasured } = props;
  if (measuring.progress) {
    return (
      <Button size="small" onClick={measuring.stop}>
        Stop measuring
      </Button>
    );
  }
  const label = isMeasured ? 'Measure again' : 'Measure';
  return (
    <Button
      size="small"
      disabled={!model.is_available}
      aria-label={`${label} ${model.name}`}
      onClick={measuring.measure}
    >
      <Gauge aria-hidden /> {label}
    </Button>
  );
}

function MeasuringNote({ measuring }: { measuring: MeasuringState }) {
  const { progress, error } = measuring;
  if (error) return <ErrorNote title="It was not measured" error={error} />;
  if (!progress) return null;
  // The probe that is named is still at work.
  const done = Math.max(progress.number - 1, 0);
  return (
    <div>
      <ProgressBar value={done / Math.max(progress.total, 1)} label="Measuring" />
      <p role="status" className="mt-1.5 text-[0.87rem] text-ink-soft">
        {progress.title}
        {progress.number > 0 && ` (${progress.number} of ${progress.total})`}
      </p>
    </div>
  );
}

/** How one model is best used, and a button to find out. */
export function FitCard({ model, isDefault, roles }: FitCardProps) {
  const { data, error, isPending, refetch } = useFit(model.name);
  const measuring = useMeasuring(model.name);
  return (
    <li
      className="grid min-w-0 grid-cols-1 gap-4 rounded-xl border border-line bg-surface p-4 sm:p-5"
      data-testid="model"
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h2 className="min-w-0 font-mono text-[0.93rem] font-semibold break-all">{model.name}</h2>
        {isDefault && <Badge tone="accent">Default</Badge>}
        {data && <Measured report={data} />}
        {model.size_bytes ? (
          <span className="text-[0.87rem] text-ink-faint">{formatBytes(model.size_bytes)}</span>
        ) : null}
        <span className="ml-auto">
          <MeasureButton
            model={model}
            measuring={measuring}
            isMeasured={data?.fit.is_assumed === false}
          />
        </span>
      </div>
      <MeasuringNote measuring={measuring} />
      {isPending && <LoadingNote label="Reading what is known" className="p-2" />}
      {data && <Facts report={data} />}
      {error && !data && (
        <ErrorNote title="Nothing is known of it" error={error} onRetry={() => void refetch()} />
      )}
      {roles.length > 0 && <p className="text-[0.93rem]">The best here for: {roles.join(', ')}.</p>}
      {model.note && <p className="text-[0.87rem] break-words text-ink-faint">{model.note}</p>}
    </li>
  );
}
