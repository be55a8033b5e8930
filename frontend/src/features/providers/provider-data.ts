import type { ChangeProvider, CreateProvider, LlmProvider, ProviderTest } from '@/api/types';
import { formatNumber, formatSeconds } from '@/lib/format';

export const kinds: { kind: CreateProvider['kind']; label: string; address: string }[] = [
  {
    kind: 'openai-compatible',
    label: 'OpenAI or compatible (OpenRouter, vLLM, LM Studio …)',
    address: 'https://openrouter.ai/api/v1',
  },
  { kind: 'anthropic', label: 'Anthropic', address: 'https://api.anthropic.com' },
  { kind: 'ollama', label: 'Ollama', address: 'https://ollama.example.org' },
];

export const heldBy: Record<LlmProvider['held_by'], string> = {
  user: 'yours',
  project: 'this project’s',
  installation: 'for everybody',
};

/** The patterns of a text: one a line, or with commas between. */
export function patternsOf(text: string): string[] {
  const parts = text.split(/[\n,]/).map((part) => part.trim());
  return [...new Set(parts.filter(Boolean))];
}

export interface ProviderDraft {
  name: string;
  kind: CreateProvider['kind'];
  address: string;
  key: string;
  isKeyRemoved: boolean;
  patterns: string;
}

export function draftOf(provider: LlmProvider | null): ProviderDraft {
  return {
    name: provider?.name ?? '',
    kind: provider?.kind ?? 'openai-compatible',
    address: provider?.base_url ?? '',
    key: '',
    isKeyRemoved: false,
    patterns: provider?.models.join('\n') ?? '',
  };
}

export function wantedOf(draft: ProviderDraft): CreateProvider {
  return {
    name: draft.name.trim(),
    kind: draft.kind,
    base_url: draft.address.trim(),
    key: draft.key.trim() || null,
    models: patternsOf(draft.patterns),
  };
}

/** Only what differs from the provider; an empty key field leaves the key as it is. */
export function changesOf(provider: LlmProvider, draft: ProviderDraft): ChangeProvider {
  const changes: ChangeProvider = {};
  const address = draft.address.trim();
  if (address !== provider.base_url) changes.base_url = address;
  if (draft.isKeyRemoved) changes.key = '';
  else if (draft.key.trim()) changes.key = draft.key.trim();
  const patterns = patternsOf(draft.patterns);
  if (patterns.join('\n') !== provider.models.join('\n')) changes.models = patterns;
  return changes;
}

/** What a try showed, in one line: `12 models in 0.4 s · answered in 1.2 s`. */
export function timesOf(test: ProviderTest): string {
  const parts: string[] = [];
  const count = test.models?.length ?? 0;
  if (typeof test.list_seconds === 'number') {
    const noun = count === 1 ? 'model' : 'models';
    parts.push(`${formatNumber(count)} ${noun} listed in ${formatSeconds(test.list_seconds)}`);
  }
  if (typeof test.chat_seconds === 'number') {
    parts.push(`${test.model ?? 'a model'} answered in ${formatSeconds(test.chat_seconds)}`);
  }
  return parts.join(' · ');
}
