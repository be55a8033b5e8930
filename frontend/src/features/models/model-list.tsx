import { Cpu } from 'lucide-react';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState, Note } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { FitCard } from './fit-card';
import { useModels } from './queries';

export function ModelCards() {
  const { data, error, isPending, refetch } = useModels();
  if (isPending) return <LoadingNote label="Looking for models" />;
  if (!data) {
    return (
      <ErrorNote title="Could not read the models" error={error} onRetry={() => void refetch()} />
    );
  }
  const roles = Object.entries(data.roles ?? {});
  return (
    <div className="grid gap-4">
      {data.problem && (
        <Note tone="warn" title="The models need your attention">
          {data.problem}
        </Note>
      )}
      {data.reason && <p className="text-[0.93rem] text-ink-soft">{data.reason}</p>}
      {data.models.length === 0 ? (
        <EmptyState icon={<Cpu />} title="No model found" />
      ) : (
        <ul className="grid gap-4">
          {data.models.map((model) => (
            <FitCard
              key={model.name}
              model={model}
              isDefault={model.name === data.default}
              roles={roles.filter(([, name]) => name === model.name).map(([role]) => role)}
            />
          ))}
        </ul>
      )}
    </div>
  );
}
