import type { ProviderTest } from '@/api/types';
import { Note } from '@/components/ui/note';
import { timesOf } from './provider-data';

const SHOWN_MODELS = 12;

function Models({ models }: { models: readonly string[] }) {
  if (models.length === 0) return null;
  return (
    <details className="mt-1.5">
      <summary>Models found</summary>
      <p className="mt-1 font-mono text-[0.84rem] break-words">
        {models.slice(0, SHOWN_MODELS).join(', ')}
        {models.length > SHOWN_MODELS && ` and ${models.length - SHOWN_MODELS} more`}
      </p>
    </details>
  );
}

/** What a try of a provider showed: what works, or what is wrong and the way out. */
export function TestResult({ test }: { test: ProviderTest }) {
  const times = timesOf(test);
  return (
    <Note tone={test.is_ok ? 'calm' : 'bad'} title={test.is_ok ? 'It works' : 'It does not work'}>
      {test.detail && <p data-testid="provider-test-detail">{test.detail}</p>}
      {times && <p>{times}</p>}
      {test.answer && <p className="text-ink-faint">It said: {test.answer}</p>}
      {(test.warnings ?? []).map((warning) => (
        <p key={warning}>{warning}</p>
      ))}
      <Models models={test.models ?? []} />
      {test.code && <p className="mt-1 font-mono text-[0.8rem] text-ink-faint">{test.code}</p>}
    </Note>
  );
}
