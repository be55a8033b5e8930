import { toApiError } from '@/api/errors';
import type { Registration } from '@/api/types';
import { SectionHead } from '@/components/page-head';
import { ErrorNote } from '@/components/ui/error-note';
import { SelectField } from '@/components/ui/field';
import { LoadingNote } from '@/components/ui/spinner';
import { useRegistration, useSetRegistration } from './queries';

const modes: { mode: Registration['mode']; label: string }[] = [
  { mode: 'closed', label: 'Nobody; admins add people' },
  { mode: 'invite', label: 'Who has an invitation' },
  { mode: 'open', label: 'Anyone who reaches this page' },
];
const roles: { role: Registration['role']; label: string }[] = [
  { role: 'developer', label: 'Developers' },
  { role: 'viewer', label: 'Viewers, who only look on' },
];

export function RegistrationSection() {
  const { data, error, refetch } = useRegistration();
  const set = useSetRegistration();
  return (
    <section aria-labelledby="registration">
      <SectionHead id="registration" title="Who may make an account" />
      {!data && !error && <LoadingNote label="Reading the setting" />}
      {error && (
        <ErrorNote title="Could not read it" error={error} onRetry={() => void refetch()} />
      )}
      {set.error && <ErrorNote title="It stays as it was" error={toApiError(set.error)} />}
      {data && (
        <div className="grid gap-4 sm:grid-cols-2">
          <SelectField
            id="registration-mode"
            label="Registration"
            disabled={set.isPending}
            value={data.mode}
            onChange={(event) => {
              const found = modes.find(({ mode }) => mode === event.target.value);
              if (found) set.mutate({ ...data, mode: found.mode });
            }}
          >
            {modes.map(({ mode, label }) => (
              <option key={mode} value={mode}>
                {label}
              </option>
            ))}
          </SelectField>
          <SelectField
            id="registration-role"
            label="Who comes without an invitation becomes"
            disabled={set.isPending || data.mode !== 'open'}
            value={data.role}
            onChange={(event) => {
              const found = roles.find(({ role }) => role === event.target.value);
              if (found) set.mutate({ ...data, role: found.role });
            }}
          >
            {roles.map(({ role, label }) => (
              <option key={role} value={role}>
                {label}
              </option>
            ))}
          </SelectField>
        </div>
      )}
    </section>
  );
}
