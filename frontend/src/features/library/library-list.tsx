import { FolderOpen } from 'lucide-react';
import { useState } from 'react';
import type { LibraryItem } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { TextField } from '@/components/ui/field';
import { EmptyState } from '@/components/ui/note';
import { ProgressBar } from '@/components/ui/progress-bar';
import { LoadingNote } from '@/components/ui/spinner';
import { formatBytes } from '@/lib/format';
import { LibraryRow } from './library-row';
import { useLibrary, useStorage } from './queries';

function StorageNote({ projectId }: { projectId: string }) {
  const { data } = useStorage(projectId);
  if (!data) return null;
  const label = `${formatBytes(data.used + data.held)} of ${formatBytes(data.quota)} used`;
  return (
    <div className="grid max-w-xs gap-1.5">
      <p className="text-[0.87rem] text-ink-faint">{label}</p>
      <ProgressBar value={(data.used + data.held) / Math.max(1, data.quota)} label={label} />
    </div>
  );
}

interface TagBarProps {
  tags: readonly { tag: string; count: number }[];
  chosen: string;
  onChoose: (tag: string) => void;
}

function TagBar({ tags, chosen, onChoose }: TagBarProps) {
  if (tags.length === 0) return null;
  return (
    <div className="flex flex-wrap gap-1.5" role="group" aria-label="Tags">
      {tags.map(({ tag, count }) => (
        <button
          key={tag}
          type="button"
          aria-pressed={chosen === tag}
          className="rounded-full"
          onClick={() => onChoose(chosen === tag ? '' : tag)}
        >
          <Badge tone={chosen === tag ? 'accent' : 'calm'}>
            {tag} {count}
          </Badge>
        </button>
      ))}
    </div>
  );
}

interface ItemsProps {
  projectId: string;
  items: readonly LibraryItem[];
  isFiltered: boolean;
}

function Items({ projectId, items, isFiltered }: ItemsProps) {
  return (
    <div className="rounded-xl border border-line bg-surface">
      {items.length === 0 ? (
        <EmptyState icon={<FolderOpen />} title={isFiltered ? 'No such file' : 'No files yet'}>
          Uploads, files from drives and what tasks made are kept here.
        </EmptyState>
      ) : (
        <ul className="divide-y divide-line">
          {items.map((item) => (
            <LibraryRow
              key={item.file_id ?? `${item.task_id ?? ''} ${item.path ?? ''}`}
              projectId={projectId}
              item={item}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

/** Stored files and what finished tasks made. */
export function LibraryList({ projectId }: { projectId: string }) {
  const [query, setQuery] = useState('');
  const [tag, setTag] = useState('');
  const list = useLibrary(projectId, query.trim(), tag);
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const tags = list.data?.pages[0]?.tags ?? [];
  return (
    <div className="grid gap-3">
      <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 grow sm:max-w-sm">
          <TextField
            id="library-search"
            label="Find a file"
            type="search"
            placeholder="Part of its name"
            value={query}
            onChange={(event) => setQuery(event.target.value)}
          />
        </div>
        <StorageNote projectId={projectId} />
      </div>
      <TagBar tags={tags} chosen={tag} onChoose={setTag} />
      {list.isPending && <LoadingNote label="Reading the library" />}
      {list.error && (
        <ErrorNote
          title="Could not read the library"
          error={list.error}
          onRetry={() => void list.refetch()}
        />
      )}
      {list.data && (
        <Items projectId={projectId} items={items} isFiltered={query !== '' || tag !== ''} />
      )}
      {list.hasNextPage && (
        <div>
          <Button
            tone="ghost"
            isBusy={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Show older
          </Button>
        </div>
      )}
    </div>
  );
}
