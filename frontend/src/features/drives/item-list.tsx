import { File, Folder } from 'lucide-react';
import type { DriveItem } from '@/api/types';
import { formatAgo, formatBytes } from '@/lib/format';
import { useNow } from '@/lib/use-now';

interface ItemRowProps {
  item: DriveItem;
  isChosen: boolean;
  onChoose: () => void;
  onOpen: () => void;
}

function ItemRow({ item, isChosen, onChoose, onOpen }: ItemRowProps) {
  const now = useNow(60_000);
  const facts = [
    item.size !== null && !item.is_folder && formatBytes(item.size),
    item.modified_at && `changed ${formatAgo(item.modified_at, now)}`,
  ];
  const Icon = item.is_folder ? Folder : File;
  return (
    <li data-testid="drive-item" className="flex items-center gap-3 px-3.5 py-2">
      <input
        type="checkbox"
        aria-label={`Choose ${item.name}`}
        className="size-4 shrink-0 accent-accent"
        checked={isChosen}
        onChange={onChoose}
      />
      <Icon aria-hidden className="size-4.5 shrink-0 text-ink-faint" />
      {item.is_folder ? (
        <button
          type="button"
          aria-label={`Open ${item.name}`}
          className="min-w-0 grow text-left font-medium break-all underline-offset-2 hover:underline"
          onClick={onOpen}
        >
          {item.name}
        </button>
      ) : (
        <span className="min-w-0 grow break-all">{item.name}</span>
      )}
      <span className="text-right text-[0.87rem] text-ink-faint max-sm:hidden">
        {facts.filter(Boolean).join(' · ')}
      </span>
    </li>
  );
}

interface ItemListProps {
  items: readonly DriveItem[];
  chosen: ReadonlySet<string>;
  onChoose: (itemId: string) => void;
  onOpen: (folder: DriveItem) => void;
}

export function ItemList({ items, chosen, onChoose, onOpen }: ItemListProps) {
  return (
    <ul className="max-h-96 divide-y divide-line overflow-y-auto rounded-xl border border-line bg-surface">
      {items.map((item) => (
        <ItemRow
          key={item.item_id}
          item={item}
          isChosen={chosen.has(item.item_id)}
          onChoose={() => onChoose(item.item_id)}
          onOpen={() => onOpen(item)}
        />
      ))}
    </ul>
  );
}
