import { createHighlighterCore, type HighlighterCore, type LanguageInput } from 'shiki/core';
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript';

export interface CodeToken {
  text: string;
  color: string | undefined;
}

const LIGHT = 'github-light-high-contrast';
const DARK = 'github-dark-default';

/** Each grammar is a chunk of its own, fetched when a file needs it. */
const grammars: Record<string, () => LanguageInput> = {
  css: () => import('shiki/langs/css.mjs'),
  docker: () => import('shiki/langs/docker.mjs'),
  html: () => import('shiki/langs/html.mjs'),
  ini: () => import('shiki/langs/ini.mjs'),
  javascript: () => import('shiki/langs/javascript.mjs'),
  json: () => import('shiki/langs/json.mjs'),
  jsx: () => import('shiki/langs/jsx.mjs'),
  make: () => import('shiki/langs/make.mjs'),
  markdown: () => import('shiki/langs/markdown.mjs'),
  python: () => import('shiki/langs/python.mjs'),
  shellscript: () => import('shiki/langs/shellscript.mjs'),
  sql: () => import('shiki/langs/sql.mjs'),
  toml: () => import('shiki/langs/toml.mjs'),
  tsx: () => import('shiki/langs/tsx.mjs'),
  typescript: () => import('shiki/langs/typescript.mjs'),
  xml: () => import('shiki/langs/xml.mjs'),
  yaml: () => import('shiki/langs/yaml.mjs'),
};

let instance: Promise<HighlighterCore> | undefined;

function highlighter(): Promise<HighlighterCore> {
  instance ??= createHighlighterCore({
    themes: [
      import('shiki/themes/github-light-high-contrast.mjs'),
      import('shiki/themes/github-dark-default.mjs'),
    ],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
  return instance;
}

/** Lines of coloured tokens; a colour is a `light-dark()` pair. */
export async function highlight(code: string, language: string): Promise<CodeToken[][]> {
  const grammar = Object.hasOwn(grammars, language) ? grammars[language] : undefined;
  if (!grammar) return code.split('\n').map((text) => [{ text, color: undefined }]);
  const core = await highlighter();
  await core.loadLanguage(grammar());
  const lines = core.codeToTokensWithThemes(code, {
    lang: language,
    themes: { light: LIGHT, dark: DARK },
  });
  return lines.map((tokens) =>
    tokens.map(({ content, variants }) => ({
      text: content,
      color: `light-dark(${variants['light']?.color ?? 'inherit'}, ${variants['dark']?.color ?? 'inherit'})`,
    })),
  );
}
