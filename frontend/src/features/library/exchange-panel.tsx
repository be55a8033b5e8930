import { Download, GitBranch } from 'lucide-react';
import { useState } from 'react';
import { toApiError } from '@/api/errors';
import type { ImportInfo } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { TextField } from '@/components/ui/field';
import { ProgressBar } from '@/components/ui/progress-bar';
import { formatNumber } from '@/lib/format';
import { useDownload, useImports, useStartImport } from './queries';

const exports = [
  { form: 'zip', label: 'Workspace as zip', name: 'workspace.zip' },
  { form: 'bundle', label: 'Git history as bundle', name: 'history.bundle' },
  { form: 'files', label: 'Stored files as zip', name: 'files.zip' },
];

function ImportRow({ item }: { item: ImportInfo }) {
  return (
    <li className="grid gap-1.5 px-4 py-2.5">
      <p className="flex flex-wrap items-center gap-2">
        <span className="min-w-0 grow break-all">{item.source}</span>
        {item.state === 'done' && (
          <Badge tone="good">{formatNumber(item.file_count)} files came in</Badge>
        )}
        {item.state === 'failed' && <Badge tone="bad">Failed</Badge>}
      </p>
      {item.state === 'running' && (
        <ProgressBar value={item.progress} label={item.phase || 'Import'} />
      )}
      {item.error_detail && (
        <p className="text-[0.93rem] text-ink-soft">
          {item.error_detail}{' '}
          <span className="font-mono text-[0.8rem] text-ink-faint">{item.error_code}</span>
        </p>
      )}
    </li>
  );
}

/** The project's workspace: out as an archive, in from a repository. */
export function ExchangePanel({ projectId }: { projectId: string }) {
  const download = useDownload();
  const imports = useImports(projectId);
  const start = useStartImport(projectId);
  const [address, setAddress] = useState('');
  const error = start.error ?? download.error;
  return (
    <div className="grid gap-4">
      {error && <ErrorNote title="That did not work" error={toApiError(error)} />}
      <div className="flex flex-wrap gap-2">
        {exports.map(({ form, label, name }) => (
          <Button
            key={form}
            isBusy={download.isPending}
            onClick={() =>
              download.mutate({ path: `/api/projects/${projectId}/export?form=${form}`, name })
            }
          >
            <Download aria-hidden /> {label}
          </Button>
        ))}
      </div>
      <form
        aria-label="Import a repository"
        className="grid items-end gap-2 sm:grid-cols-[1fr_auto]"
        onSubmit={(event) => {
          event.preventDefault();
          start.mutate({ git_url: address.trim() }, { onSuccess: () => setAddress('') });
        }}
      >
        <TextField
          id="import-address"
          label="Import from a git address"
          placeholder="https://example.org/team/app.git"
          type="url"
          pattern="https://.*"
          value={address}
          onChange={(event) => setAddress(event.target.value)}
        />
        <Button type="submit" className="h-10" isBusy={start.isPending} disabled={!address.trim()}>
          <GitBranch aria-hidden /> Import
        </Button>
      </form>
      {imports.data && imports.data.items.length > 0 && (
        <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
          {imports.data.items.map((item) => (
            <ImportRow key={item.import_id} item={item} />
          ))}
        </ul>
      )}
    </div>
  );
}
