import { Download, FileText, Link2, Tag, Trash2 } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { LibraryItem } from '@/api/types';
import { usePicture } from '@/api/use-picture';
import { OneTimeLink } from '@/components/one-time-link';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { formatAgo, formatBytes } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { useDeleteFile, useDownload, useShareFile, useTagFile } from './queries';

const origins: Record<LibraryItem['origin'], string> = {
  upload: 'uploaded',
  drive: 'from a drive',
  task: 'made by a task',
  import: 'imported',
};

function contentPath(projectId: string, item: LibraryItem): string {
  if (item.file_id) return `/api/projects/${projectId}/library/${item.file_id}/content`;
  const path = (item.path ?? '').split('/').map(encodeURIComponent).join('/');
  return `/api/tasks/${item.task_id ?? ''}/artifacts/${path}`;
}

function failed(title: string) {
  return (error: Error) => void toast.error(title, { description: toApiError(error).detail });
}

interface RowProps {
  projectId: string;
  item: LibraryItem;
}

function TagForm({ projectId, item, onDone }: RowProps & { onDone: () => void }) {
  const tagFile = useTagFile(projectId);
  const [text, setText] = useState(item.tags.join(', '));
  const save = (event: FormEvent) => {
    event.preventDefault();
    const tags = text.split(',').map((part) => part.trim());
    tagFile.mutate(
      { fileId: item.file_id ?? '', tags: tags.filter(Boolean) },
      { onSuccess: onDone, onError: failed('The tags stay as they were') },
    );
  };
  return (
    <form className="flex flex-wrap gap-2" aria-label={`Tags of ${item.name}`} onSubmit={save}>
      <input
        aria-label="Tags, with commas between"
        className="h-8 min-w-0 grow rounded-lg border border-line-strong bg-surface px-2.5 text-[0.93rem]"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <Button type="submit" size="small" isBusy={tagFile.isPending}>
        Save tags
      </Button>
    </form>
  );
}

function FileButtons({ projectId, item, onTag }: RowProps & { onTag: () => void }) {
  const remove = useDeleteFile(projectId);
  const share = useShareFile(projectId);
  const [link, setLink] = useState('');
  const fileId = item.file_id ?? '';
  return (
    <>
      <Button size="small" aria-label={`Tag ${item.name}`} title="Tag" onClick={onTag}>
        <Tag aria-hidden />
      </Button>
      <Button
        size="small"
        isBusy={share.isPending}
        aria-label={`Link to ${item.name}`}
        title="A link for an hour"
        onClick={() =>
          share.mutate(fileId, {
            onSuccess: ({ url }) => setLink(new URL(url, window.location.origin).href),
            onError: failed('No link was made'),
          })
        }
      >
        <Link2 aria-hidden />
      </Button>
      <ConfirmDialog
        title={`Delete ${item.name}?`}
        confirmLabel="Delete"
        dismissLabel="Keep it"
        onConfirm={() => remove.mutate(fileId, { onError: failed('The file stays') })}
        trigger={
          <Button
            size="small"
            tone="danger"
            isBusy={remove.isPending}
            aria-label={`Delete the file ${item.name}`}
            title="Delete"
          >
            <Trash2 aria-hidden />
          </Button>
        }
      >
        The file and the document made of it go for good.
      </ConfirmDialog>
      {link && (
        <div className="basis-full pt-2">
          <OneTimeLink
            title={`Whoever has this link can fetch ${item.name} for an hour`}
            url={link}
            note="It is shown this once and needs no account."
            onClose={() => setLink('')}
          />
        </div>
      )}
    </>
  );
}

export function LibraryRow({ projectId, item }: RowProps) {
  const now = useNow(30_000);
  const download = useDownload();
  const thumbnail = usePicture(
    `/api/projects/${projectId}/library/${item.file_id ?? ''}/thumbnail`,
    item.has_thumbnail,
  );
  const [isTagging, setIsTagging] = useState(false);
  return (
    <li
      data-testid="library-item"
      className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3"
    >
      {thumbnail.data ? (
        <img
          src={thumbnail.data}
          alt=""
          className="size-9 rounded-md border border-line bg-white object-cover"
        />
      ) : (
        <FileText aria-hidden className="size-5 shrink-0 text-ink-faint" />
      )}
      <div className="min-w-0 grow basis-48">
        <p className="flex flex-wrap items-center gap-2">
          <span className="min-w-0 font-medium break-all">{item.name}</span>
          {item.tags.map((tag) => (
            <Badge key={tag} tone="calm">
              {tag}
            </Badge>
          ))}
        </p>
        <p className="mt-0.5 text-[0.87rem] text-ink-faint">
          {[formatBytes(item.size), origins[item.origin], formatAgo(item.created_at, now)].join(
            ' · ',
          )}
        </p>
      </div>
      <Button
        size="small"
        isBusy={download.isPending}
        aria-label={`Download ${item.name}`}
        title="Download"
        onClick={() =>
          download.mutate(
            { path: contentPath(projectId, item), name: item.name },
            { onError: failed('The file was not fetched') },
          )
        }
      >
        <Download aria-hidden />
      </Button>
      {item.file_id && (
        <FileButtons projectId={projectId} item={item} onTag={() => setIsTagging(!isTagging)} />
      )}
      {isTagging && (
        <div className="basis-full">
          <TagForm projectId={projectId} item={item} onDone={() => setIsTagging(false)} />
        </div>
      )}
    </li>
  );
}
