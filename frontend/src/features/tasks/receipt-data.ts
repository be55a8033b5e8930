import { isRecord } from '@/api/errors';
import { PayloadReader, readCheck, type LiveCheck } from './event-payload';

export interface Receipt {
  status: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  reason: string;
  spec: Record<string, unknown>;
  blueprint: string;
  files: readonly string[];
  checks: readonly LiveCheck[];
  unproven: readonly string[];
  attempts: number;
  tokensIn: number;
  tokensOut: number;
  seconds: number;
  commit: string;
}

function texts(values: readonly unknown[]): string[] {
  return values.filter((value) => typeof value === 'string');
}

/** Reads `final_result`; anything that does not say SUCCEEDED or CANCELLED counts as failed. */
export function readReceipt(value: unknown): Receipt | null {
  if (!isRecord(value)) return null;
  const reader = new PayloadReader(value);
  const status = reader.text('status');
  return {
    status: status === 'SUCCEEDED' || status === 'CANCELLED' ? status : 'FAILED',
    reason: reader.text('reason'),
    spec: reader.record('spec'),
    blueprint: reader.text('blueprint'),
    files: texts(reader.list('files')),
    checks: reader.list('checks').map((check) => readCheck(new PayloadReader(check))),
    unproven: texts(reader.list('unproven')),
    attempts: reader.number('attempts') ?? 0,
    tokensIn: reader.number('tokens_in') ?? 0,
    tokensOut: reader.number('tokens_out') ?? 0,
    seconds: reader.number('seconds') ?? 0,
    commit: reader.text('commit'),
  };
}
