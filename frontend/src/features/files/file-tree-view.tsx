import { ChevronRight, FileText, Folder } from 'lucide-react';
import { useState } from 'react';
import { cn } from '@/lib/cn';
import type { TreeNode } from './file-tree';

interface TreeProps {
  nodes: readonly TreeNode[];
  selectedPath: string | null;
  onSelect: (path: string) => void;
  depth?: number;
}

const row =
  'flex w-full items-center gap-1.5 rounded-md py-1 pr-2 text-left text-[0.87rem] transition-colors hover:bg-sunken';

function FolderRow({
  node,
  depth = 0,
  ...rest
}: TreeProps & { node: TreeNode & { kind: 'folder' } }) {
  const [isOpen, setIsOpen] = useState(true);
  return (
    <li>
      <button
        type="button"
        aria-expanded={isOpen}
        className={cn(row, 'text-ink-soft')}
        style={{ paddingLeft: `${depth * 0.9 + 0.4}rem` }}
        onClick={() => setIsOpen(!isOpen)}
      >
        <ChevronRight
          aria-hidden
          className={cn('size-3.5 shrink-0 transition-transform', isOpen && 'rotate-90')}
        />
        <Folder aria-hidden className="size-4 shrink-0 text-ink-faint" />
        <span className="truncate">{node.name}</span>
      </button>
      {isOpen && <FileTreeView {...rest} nodes={node.children} depth={depth + 1} />}
    </li>
  );
}

/** Nested lists of buttons: keyboards and screen readers know what to do with them. */
export function FileTreeView({ nodes, selectedPath, onSelect, depth = 0 }: TreeProps) {
  return (
    <ul>
      {nodes.map((node) =>
        node.kind === 'folder' ? (
          <FolderRow
            key={node.path}
            node={node}
            nodes={node.children}
            selectedPath={selectedPath}
            onSelect={onSelect}
            depth={depth}
          />
        ) : (
          <li key={node.path}>
            <button
              type="button"
              aria-current={node.path === selectedPath ? 'true' : undefined}
              className={cn(
                row,
                node.path === selectedPath && 'bg-accent-soft font-medium text-accent',
              )}
              style={{ paddingLeft: `${depth * 0.9 + 1.65}rem` }}
              onClick={() => onSelect(node.path)}
            >
              <FileText aria-hidden className="size-4 shrink-0 opacity-65" />
              <span className="truncate">{node.name}</span>
            </button>
          </li>
        ),
      )}
    </ul>
  );
}
