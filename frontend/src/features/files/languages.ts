const byExtension: Record<string, string> = {
  css: 'css',
  csv: 'text',
  htm: 'html',
  html: 'html',
  js: 'javascript',
  cjs: 'javascript',
  mjs: 'javascript',
  json: 'json',
  jsx: 'jsx',
  md: 'markdown',
  py: 'python',
  sh: 'shellscript',
  sql: 'sql',
  svg: 'xml',
  toml: 'toml',
  ts: 'typescript',
  tsx: 'tsx',
  xml: 'xml',
  yaml: 'yaml',
  yml: 'yaml',
  ini: 'ini',
  cfg: 'ini',
};

/** The name of a file's language, `text` if it has none that we colour. */
export function languageOf(path: string): string {
  const name = path.split('/').at(-1)?.toLowerCase() ?? '';
  if (name === 'dockerfile') return 'docker';
  if (name === 'makefile') return 'make';
  const extension = name.includes('.') ? (name.split('.').at(-1) ?? '') : '';
  return byExtension[extension] ?? 'text';
}
