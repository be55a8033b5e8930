import { isRecord } from '@/lib/json';

type Json = Record<string, unknown>;

/** What a plan question shows and takes back: a build's spec and files, or a change's steps. */
export interface PlanDetails extends Json {
  spec?: unknown;
  plan?: unknown;
  operations?: unknown;
}

export function recordsOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export function recordOf(value: unknown): Json {
  return isRecord(value) ? value : {};
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function specOf(details: Json): Json {
  return recordOf(details['spec']);
}

export function itemsOf(details: Json): Json[] {
  return recordsOf(recordOf(details['plan'])['items']);
}

export function withSpec(details: Json, changes: Json): Json {
  return { ...details, spec: { ...specOf(details), ...changes } };
}

export function withItems(details: Json, items: readonly Json[]): Json {
  return { ...details, plan: { ...recordOf(details['plan']), items } };
}

/** A list with one of its records changed. */
export function withChange(list: readonly Json[], index: number, changes: Json): Json[] {
  const old = list[index];
  return old ? list.with(index, { ...old, ...changes }) : [...list];
}

export function without(list: readonly Json[], index: number): Json[] {
  return list.toSpliced(index, 1);
}

/** Takes a function out of the spec, and its file out of the plan. */
export function withoutFunction(details: Json, index: number): Json {
  const functions = recordsOf(specOf(details)['functions']);
  const name = functions[index]?.['name'];
  const kept = withSpec(details, { functions: without(functions, index) });
  return withItems(
    kept,
    itemsOf(kept).filter((item) => !name || item['function'] !== name),
  );
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * What an approval sends: only parts that were changed. The server makes a new plan from a changed
 * spec, so files are sent only if they differ by more than what the spec took out.
 */
export function changesOf(before: Json, after: Json): Json {
  const changes: Json = {};
  if (!isSame(before['spec'], after['spec'])) changes['spec'] = after['spec'];
  const names = new Set(recordsOf(specOf(after)['functions']).map((it) => it['name']));
  const expected = itemsOf(before).filter(
    (item) => !item['function'] || names.has(item['function']),
  );
  if (!isSame(expected, itemsOf(after))) changes['plan'] = after['plan'];
  if (!isSame(before['operations'], after['operations'])) {
    changes['operations'] = after['operations'];
  }
  return changes;
}
