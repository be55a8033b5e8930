import { Copy, FileCode, FolderOpen } from 'lucide-react';
import { useMemo } from 'react';
import { toast } from 'sonner';
import type { Artifact } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatBytes } from '@/lib/format';
import { CodeView } from './code-view';
import { buildTree, firstFile } from './file-tree';
import { FileTreeView } from './file-tree-view';
import { useArtifacts, useArtifactText } from './queries';

const SHOWN_LIMIT_BYTES = 1_000_000;

interface FilesPanelProps {
  taskId: string;
  isDone: boolean;
  selectedPath: string | null;
  onSelect: (path: string) => void;
}

function FileContent({ taskId, file }: { taskId: string; file: Artifact }) {
  const isShown = file.size <= SHOWN_LIMIT_BYTES;
  const { data, error, isPending, refetch } = useArtifactText(taskId, file, isShown);
  if (!isShown) {
    return (
      <EmptyState icon={<FileCode />} title="Too large to show">
        {formatBytes(file.size)}. It is in the zip.
      </EmptyState>
    );
  }
  if (error) {
    return (
      <ErrorNote
        className="m-4"
        title="Could not read the file"
        error={error}
        onRetry={() => void refetch()}
      />
    );
  }
  if (isPending) return <LoadingNote label="Reading the file" />;
  if (data.includes('\0')) {
    return (
      <EmptyState icon={<FileCode />} title="Not a text file">
        {formatBytes(file.size)}. It is in the zip.
      </EmptyState>
    );
  }
  return (
    <>
      <div className="flex h-10 shrink-0 items-center gap-3 border-b border-line px-4 text-[0.87rem]">
        <code className="min-w-0 truncate font-mono">{file.path}</code>
        <span className="shrink-0 text-ink-faint">{formatBytes(file.size)}</span>
        <Button
          tone="ghost"
          size="icon"
          className="ml-auto"
          aria-label={`Copy ${file.path}`}
          title="Copy"
          onClick={() => {
            navigator.clipboard.writeText(data).then(
              () => toast.success('Copied'),
              () => toast.error('The browser did not allow copying'),
            );
          }}
        >
          <Copy aria-hidden />
        </Button>
      </div>
      <div className="min-h-0 grow">
        <CodeView path={file.path} code={data} />
      </div>
    </>
  );
}

export function FilesPanel({ taskId, isDone, selectedPath, onSelect }: FilesPanelProps) {
  const { data, error, isPending, refetch } = useArtifacts(taskId);
  const files = useMemo(() => data?.files ?? [], [data]);
  const tree = useMemo(() => buildTree(files), [files]);
  if (isPending) return <LoadingNote label="Reading the files" />;
  if (error) {
    return (
      <ErrorNote
        className="m-4"
        title="Could not read the files"
        error={error}
        onRetry={() => void refetch()}
      />
    );
  }
  const path = selectedPath ?? firstFile(files);
  const file = files.find((it) => it.path === path);
  if (files.length === 0) {
    return (
      <EmptyState icon={<FolderOpen />} title={isDone ? 'No files' : 'No files yet'}>
        {isDone
          ? 'This build ended before a file was accepted.'
          : 'A file appears here once it was written and accepted.'}
      </EmptyState>
    );
  }
  return (
    <div className="flex h-full min-h-0 flex-col md:flex-row">
      <nav
        aria-label="Files"
        className="max-h-52 shrink-0 overflow-auto border-b border-line p-2 md:max-h-none md:w-56 md:border-r md:border-b-0"
      >
        <FileTreeView nodes={tree} selectedPath={path} onSelect={onSelect} />
      </nav>
      <div className="flex min-h-0 min-w-0 grow flex-col">
        {file ? (
          <FileContent key={file.path} taskId={taskId} file={file} />
        ) : (
          <EmptyState icon={<FileCode />} title="This file is gone">
            {path} is not among the files any more. Choose another.
          </EmptyState>
        )}
      </div>
    </div>
  );
}
