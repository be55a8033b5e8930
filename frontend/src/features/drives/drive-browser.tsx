import { type FormEvent, useState } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { DriveItem } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { TextField } from '@/components/ui/field';
import { LoadingNote } from '@/components/ui/spinner';
import { type Step, stepInto } from './drive-data';
import { ExportForm } from './export-form';
import { FollowForm } from './follow-form';
import { ItemList } from './item-list';
import { useItems } from './queries';
import { useImportItems } from './transfer-queries';

const MOST_AT_ONCE = 200;
const root: Step = { folderId: null, name: 'Top folder' };

interface TrailProps {
  path: readonly Step[];
  onGo: (path: Step[]) => void;
}

function Trail({ path, onGo }: TrailProps) {
  return (
    <nav aria-label="Folders above">
      <ol className="flex flex-wrap items-center gap-x-1.5 text-[0.93rem]">
        {path.map((step, depth) => (
          <li key={step.folderId ?? ''} className="flex items-center gap-1.5">
            {depth > 0 && <span aria-hidden>/</span>}
            <button
              type="button"
              aria-current={depth === path.length - 1 ? 'location' : undefined}
              className="rounded-md break-all text-ink-soft underline-offset-2 hover:underline aria-[current]:font-medium aria-[current]:text-ink"
              onClick={() => onGo(path.slice(0, depth + 1))}
            >
              {step.name}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

interface SearchFormProps {
  shown: string;
  onSearch: (text: string) => void;
}

function SearchForm({ shown, onSearch }: SearchFormProps) {
  const [text, setText] = useState('');
  const search = (event: FormEvent) => {
    event.preventDefault();
    onSearch(text.trim());
  };
  return (
    <form
      role="search"
      aria-label="Search the drive"
      className="flex flex-wrap items-end gap-2"
      onSubmit={search}
    >
      <div className="min-w-0 grow basis-48">
        <TextField
          id="drive-search"
          label="Find on the drive"
          type="search"
          maxLength={200}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <Button type="submit" className="h-10" disabled={!text.trim()}>
        Find
      </Button>
      {shown && (
        <Button
          className="h-10"
          onClick={() => {
            setText('');
            onSearch('');
          }}
        >
          Back to the folder
        </Button>
      )}
    </form>
  );
}

interface ListingProps {
  list: ReturnType<typeof useItems>;
  text: string;
  chosen: ReadonlySet<string>;
  onChoose: (itemId: string) => void;
  onOpen: (folder: DriveItem) => void;
}

function Listing({ list, text, chosen, onChoose, onOpen }: ListingProps) {
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  if (list.isPending) return <LoadingNote label="Reading the drive" />;
  if (list.error) {
    return (
      <ErrorNote
        title="Could not read the drive"
        error={toApiError(list.error)}
        onRetry={() => void list.refetch()}
      />
    );
  }
  if (items.length === 0) {
    return <p className="text-ink-soft">{text ? 'Nothing is found.' : 'This folder is empty.'}</p>;
  }
  return (
    <>
      <ItemList items={items} chosen={chosen} onChoose={onChoose} onOpen={onOpen} />
      {list.hasNextPage && (
        <div>
          <Button
            tone="ghost"
            isBusy={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

interface DriveBrowserProps {
  projectId: string;
  linkId: string;
}

/** A drive to choose from: files to bring, a folder to follow or to put a file into. */
export function DriveBrowser({ projectId, linkId }: DriveBrowserProps) {
  const [path, setPath] = useState<Step[]>([root]);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const folder = path.at(-1) ?? root;
  const list = useItems(linkId, folder.folderId, text);
  const bring = useImportItems(projectId, linkId);
  const choose = (itemId: string) => {
    const next = new Set(chosen);
    if (!next.delete(itemId)) next.add(itemId);
    setChosen(next);
  };
  const open = (item: DriveItem) => {
    setPath(text ? [root, { folderId: item.item_id, name: item.name }] : stepInto(path, item));
    setText('');
  };
  const start = () =>
    bring.mutate([...chosen], {
      onSuccess: () => {
        setChosen(new Set());
        toast.success('The files are on their way');
      },
    });
  return (
    <div className="grid gap-3">
      <SearchForm shown={text} onSearch={setText} />
      {text ? <p>What is found for “{text}”</p> : <Trail path={path} onGo={setPath} />}
      <Listing list={list} text={text} chosen={chosen} onChoose={choose} onOpen={open} />
      {bring.error && <ErrorNote title="Nothing was brought" error={toApiError(bring.error)} />}
      <div className="flex flex-wrap gap-2">
        <Button
          tone="primary"
          isBusy={bring.isPending}
          disabled={chosen.size === 0 || chosen.size > MOST_AT_ONCE}
          onClick={start}
        >
          Bring {chosen.size === 0 ? 'what is chosen' : `${chosen.size} chosen`}
        </Button>
      </div>
      {!text && (
        <div className="grid gap-5 border-t border-line pt-4 sm:grid-cols-2">
          <FollowForm projectId={projectId} linkId={linkId} folder={folder} />
          <ExportForm projectId={projectId} linkId={linkId} folder={folder} />
        </div>
      )}
    </div>
  );
}
