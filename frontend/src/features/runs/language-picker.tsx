import type { LanguageInfo } from '@/api/types';
import { InlineSelect } from '@/components/ui/field';

interface LanguagePickerProps {
  languages: readonly LanguageInfo[];
  value: string;
  isLoading: boolean;
  onChange: (language: string) => void;
}

const states: Record<LanguageInfo['state'], string> = {
  ready: '',
  building: ' (being built)',
  on_demand: '',
  failed: ' (could not be built)',
};

export function LanguagePicker({ languages, value, isLoading, onChange }: LanguagePickerProps) {
  const groups = [
    { label: 'Ready', members: languages.filter((it) => it.state === 'ready') },
    { label: 'Built at the first run', members: languages.filter((it) => it.state !== 'ready') },
  ].filter(({ members }) => members.length > 0);
  return (
    <InlineSelect
      id="language"
      label="Language"
      disabled={isLoading || languages.length === 0}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      {isLoading && <option value={value}>Looking for languages…</option>}
      {groups.map(({ label, members }) => (
        <optgroup key={label} label={label}>
          {members.map(({ name, title, state }) => (
            <option key={name} value={name}>
              {title + states[state]}
            </option>
          ))}
        </optgroup>
      ))}
    </InlineSelect>
  );
}
