import { useQuery } from '@tanstack/react-query';
import { languageOf } from './languages';

const HIGHLIGHT_LIMIT_CHARACTERS = 150_000;

interface CodeViewProps {
  path: string;
  code: string;
}

/** A file's text with line numbers; colours arrive when their grammar has. */
export function CodeView({ path, code }: CodeViewProps) {
  const language = code.length > HIGHLIGHT_LIMIT_CHARACTERS ? 'text' : languageOf(path);
  const text = code.endsWith('\n') ? code.slice(0, -1) : code;
  const { data } = useQuery({
    queryKey: ['highlight', language, text],
    queryFn: async () => (await import('./highlighter')).highlight(text, language),
    staleTime: Infinity,
    gcTime: 60_000,
    retry: false,
    enabled: language !== 'text',
  });
  const lines = data ?? text.split('\n').map((line) => [{ text: line, color: undefined }]);
  const gutter = `${String(lines.length).length}ch`;
  return (
    <pre
      tabIndex={0}
      aria-label={`Content of ${path}`}
      data-testid="code"
      data-highlighted={data ? 'true' : 'false'}
      className="h-full overflow-auto py-3 font-mono text-[0.83rem] leading-[1.6] outline-offset-[-2px]"
    >
      <code className="grid min-w-max">
        {lines.map((tokens, index) => (
          // Lines have no identity but their place.
          // oxlint-disable-next-line react/no-array-index-key
          <span key={index} className="flex pr-6 hover:bg-sunken">
            <span
              aria-hidden
              className="mr-4 shrink-0 pl-4 text-right text-ink-faint select-none"
              style={{ minWidth: `calc(${gutter} + 1rem)` }}
            >
              {index + 1}
            </span>
            <span className="whitespace-pre">
              {tokens.map((token, position) => (
                // oxlint-disable-next-line react/no-array-index-key
                <span key={position} style={{ color: token.color }}>
                  {token.text}
                </span>
              ))}
              {'\n'}
            </span>
          </span>
        ))}
      </code>
    </pre>
  );
}
