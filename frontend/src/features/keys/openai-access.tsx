import { CodeBox } from '@/components/code-box';
import { CopyButton } from '@/components/copy-button';

const PLACEHOLDER = 'YOUR_KEY';

export function baseUrl(): string {
  return `${window.location.origin}/v1`;
}

/** Lines for a shell; the key is the server's own, without quotes or spaces. */
export function curlLines(key: string): string {
  return `curl ${baseUrl()}/chat/completions \\
  -H "Authorization: Bearer ${key || PLACEHOLDER}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "diono/codeact", "stream": true,
       "messages": [{"role": "user", "content": "Say hello."}]}'`;
}

/** What an OpenAI client needs: an address, a key, an example. */
export function OpenAiAccess({ apiKey = '' }: { apiKey?: string }) {
  return (
    <div className="grid grid-cols-1 gap-4">
      <div className="flex min-w-0 flex-wrap items-center gap-2 rounded-lg border border-line bg-surface py-1.5 pr-1.5 pl-3.5">
        <span className="text-[0.87rem] text-ink-faint">Base URL</span>
        <code className="min-w-0 grow font-mono text-[0.87rem] break-all" data-testid="base-url">
          {baseUrl()}
        </code>
        <CopyButton text={baseUrl()} label="the base URL" />
      </div>
      <CodeBox title="curl" text={curlLines(apiKey)} testId="curl" />
    </div>
  );
}
