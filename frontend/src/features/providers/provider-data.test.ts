import { expect, test } from 'vitest';
import type { LlmProvider } from '@/api/types';
import { changesOf, draftOf, patternsOf, timesOf, wantedOf } from './provider-data';

const provider: LlmProvider = {
  provider_id: 'prv_1',
  held_by: 'user',
  name: 'work',
  kind: 'openai-compatible',
  base_url: 'https://llm.example.org/v1',
  has_key: true,
  key_hint: '…f40',
  models: ['qwen/*'],
  created_at: '2026-01-02T12:00:00Z',
  tested_at: null,
  test: null,
};

test('patterns come from lines and commas, each once', () => {
  expect(patternsOf(' qwen/*, llama*\nqwen/*\n\n')).toEqual(['qwen/*', 'llama*']);
});

test('an untouched form changes nothing, above all not the key', () => {
  expect(changesOf(provider, draftOf(provider))).toEqual({});
});

test('only what was touched is sent', () => {
  const draft = { ...draftOf(provider), patterns: '', key: ' sk-2 ' };
  expect(changesOf(provider, draft)).toEqual({ models: [], key: 'sk-2' });
  expect(changesOf(provider, { ...draft, isKeyRemoved: true }).key).toBe('');
});

test('a new provider without a key has none', () => {
  expect(wantedOf({ ...draftOf(null), name: 'lan' })).toEqual({
    name: 'lan',
    kind: 'openai-compatible',
    base_url: '',
    key: null,
    models: [],
  });
});

test('a try tells what took how long', () => {
  const tried = { is_ok: true, code: '', detail: '', answer: 'hi', model: 'a', models: ['a'] };
  expect(timesOf({ ...tried, list_seconds: 0.42, chat_seconds: 2 })).toBe(
    '1 model listed in 0.4 s · a answered in 2.0 s',
  );
  expect(timesOf({ ...tried, is_ok: false, list_seconds: null, chat_seconds: null })).toBe('');
});
