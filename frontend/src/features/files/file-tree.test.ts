import { expect, test } from 'vitest';
import { buildTree, firstFile } from './file-tree';

const files = ['src/app.py', 'README.md', 'src/static/page.html', 'src/api.py'].map((path) => ({
  path,
  size: 3,
  sha256: path,
  kind: 'source',
  language: '',
}));

function names(nodes: ReturnType<typeof buildTree>): unknown[] {
  return nodes.map((node) =>
    node.kind === 'folder' ? [node.path, names(node.children)] : node.name,
  );
}

test('folders come first, then files by name', () => {
  expect(names(buildTree(files))).toEqual([
    ['src', [['src/static', ['page.html']], 'api.py', 'app.py']],
    'README.md',
  ]);
});

test('the first file to show is the readme, else the entry point', () => {
  expect(firstFile(files)).toBe('README.md');
  expect(firstFile(files.filter((file) => file.path !== 'README.md'))).toBe('src/app.py');
  expect(firstFile([])).toBeNull();
});
