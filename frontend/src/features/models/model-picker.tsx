import type { ModelInfo } from '@/api/types';
import { ErrorNote } from '@/components/ui/error-note';
import { InlineSelect } from '@/components/ui/field';
import { Note } from '@/components/ui/note';
import { formatBytes } from '@/lib/format';
import { useModels } from './queries';

interface ModelPickerProps {
  /** The chosen model; null leaves the choice to the server. */
  value: string | null;
  onChange: (model: string | null) => void;
}

function describe(model: ModelInfo): string {
  const size = model.size_bytes ? ` · ${formatBytes(model.size_bytes)}` : '';
  return model.is_available ? `${model.name}${size}` : `${model.name} (not available)`;
}

function groupByProvider(models: readonly ModelInfo[]): [string, ModelInfo[]][] {
  const groups = new Map<string, ModelInfo[]>();
  for (const model of models) {
    groups.set(model.provider, [...(groups.get(model.provider) ?? []), model]);
  }
  return [...groups];
}

export function ModelPicker({ value, onChange }: ModelPickerProps) {
  const { data, isPending } = useModels();
  const models = data?.models ?? [];
  const isEmpty = !isPending && models.length === 0;
  return (
    <InlineSelect
      id="model"
      label="Model"
      className="max-w-72"
      disabled={isPending || isEmpty}
      value={value ?? ''}
      onChange={(event) => onChange(event.target.value || null)}
    >
      <option value="">
        {isPending && 'Looking for models…'}
        {isEmpty && 'No model found'}
        {data && !isEmpty && (data.default ? `Default (${data.default})` : 'Choose a model')}
      </option>
      {groupByProvider(models).map(([provider, members]) => (
        <optgroup key={provider} label={provider}>
          {members.map((model) => (
            <option key={model.name} value={model.name} disabled={!model.is_available}>
              {describe(model)}
            </option>
          ))}
        </optgroup>
      ))}
    </InlineSelect>
  );
}

/** What is worth knowing about the chosen model, and what is wrong if none can be used. */
export function ModelNotes({ value }: { value: string | null }) {
  const { data, error, refetch } = useModels();
  if (error) {
    return (
      <ErrorNote
        title="Could not read the list of models"
        error={error}
        onRetry={() => void refetch()}
      />
    );
  }
  if (data?.problem) {
    return (
      <Note tone="warn" title="The models need your attention">
        {data.problem}
      </Note>
    );
  }
  const chosen = data?.models.find((model) => model.name === (value ?? data.default));
  if (!chosen?.note) return null;
  return (
    <p className="text-[0.87rem] text-ink-faint">
      <span className="font-mono">{chosen.name}</span>: {chosen.note}
    </p>
  );
}
