import type { Artifact } from '@/api/types';

export type TreeNode =
  | { kind: 'folder'; name: string; path: string; children: TreeNode[] }
  | { kind: 'file'; name: string; path: string; size: number };

type Folder = Extract<TreeNode, { kind: 'folder' }>;

function childFolder(parent: Folder, name: string): Folder {
  const known = parent.children.find((node) => node.kind === 'folder' && node.name === name);
  if (known?.kind === 'folder') return known;
  const path = parent.path ? `${parent.path}/${name}` : name;
  const folder: Folder = { kind: 'folder', name, path, children: [] };
  parent.children.push(folder);
  return folder;
}

function sortTree(nodes: readonly TreeNode[]): TreeNode[] {
  return nodes
    .map((node) => (node.kind === 'folder' ? { ...node, children: sortTree(node.children) } : node))
    .toSorted((a, b) => {
      if (a.kind !== b.kind) return a.kind === 'folder' ? -1 : 1;
      return a.name.localeCompare(b.name);
    });
}

/** Folders first, then files, by name. */
export function buildTree(files: readonly Artifact[]): TreeNode[] {
  const root: Folder = { kind: 'folder', name: '', path: '', children: [] };
  for (const file of files) {
    const parts = file.path.split('/').filter(Boolean);
    const name = parts.pop();
    if (name === undefined) continue;
    const parent = parts.reduce(childFolder, root);
    parent.children.push({ kind: 'file', name, path: file.path, size: file.size });
  }
  return sortTree(root.children);
}

const FIRST_LOOKS = [/^readme/i, /(^|\/)(main|app|cli|index)\.[a-z]+$/, /\.(py|ts|js|html)$/];

/** The file that a reader most likely wants to see first. */
export function firstFile(files: readonly Artifact[]): string | null {
  for (const pattern of FIRST_LOOKS) {
    const match = files.find((file) => pattern.test(file.path));
    if (match) return match.path;
  }
  return files[0]?.path ?? null;
}
