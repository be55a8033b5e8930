import { useState } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { SelectField, TextField } from '@/components/ui/field';
import { formatBytes } from '@/lib/format';
import type { Step } from './drive-data';
import { useExportFile, useStoredFiles } from './transfer-queries';

interface ExportFormProps {
  projectId: string;
  linkId: string;
  folder: Step;
}

/** Puts a file of the library into the folder that is shown. */
export function ExportForm({ projectId, linkId, folder }: ExportFormProps) {
  const [name, setName] = useState('');
  const [fileId, setFileId] = useState('');
  const { data, error } = useStoredFiles(projectId, name.trim());
  const send = useExportFile(projectId, linkId);
  const files = data ?? [];
  const chosen = files.find((file) => file.file_id === fileId);
  const problem = send.error ?? error;
  return (
    <form
      aria-label="Put a file here"
      className="grid content-start gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        send.mutate(
          { fileId, folderId: folder.folderId },
          { onSuccess: () => void toast.success(`${chosen?.name ?? 'The file'} is on its way`) },
        );
      }}
    >
      {problem && <ErrorNote title="Not sent" error={toApiError(problem)} />}
      <TextField
        id="export-name"
        label="A stored file whose name has"
        type="search"
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <SelectField
        id="export-file"
        label={`Put into ${folder.name}`}
        hint="Nothing there is overwritten."
        value={chosen ? fileId : ''}
        onChange={(event) => setFileId(event.target.value)}
      >
        <option value="">{files.length > 0 ? 'Choose a file' : 'No stored file'}</option>
        {files.map((file) => (
          <option key={file.file_id} value={file.file_id ?? ''}>
            {file.name} ({formatBytes(file.size)})
          </option>
        ))}
      </SelectField>
      <div>
        <Button type="submit" isBusy={send.isPending} disabled={!chosen}>
          Put it on the drive
        </Button>
      </div>
    </form>
  );
}
