import { readCheck, type LiveCheck } from '@/components/checks/check-data';
import { isRecord, textsOf } from '@/lib/json';
import { PayloadReader } from '@/lib/payload';

export interface Receipt {
  status: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  reason: string;
  spec: Record<string, unknown>;
  blueprint: string;
  files: readonly string[];
  checks: readonly LiveCheck[];
  unproven: readonly string[];
  /** Checks that could not fail and so were not counted. */
  discarded: readonly string[];
  /** By function: the kind of wrong program that its checks cannot tell from it. */
  indistinct: Record<string, unknown>;
  isRolledBack: boolean;
  answer: string;
  details: Record<string, unknown>;
  attempts: number;
  tokensIn: number;
  tokensOut: number;
  seconds: number;
  commit: string;
}

/** Reads `final_result`; anything that does not say SUCCEEDED or CANCELLED counts as failed. */
export function readReceipt(value: unknown): Receipt | null {
  if (!isRecord(value)) return null;
  const reader = new PayloadReader(value);
  const details = new PayloadReader(reader.record('details'));
  const status = reader.text('status');
  return {
    status: status === 'SUCCEEDED' || status === 'CANCELLED' ? status : 'FAILED',
    reason: reader.text('reason'),
    spec: reader.record('spec'),
    blueprint: reader.text('blueprint'),
    files: textsOf(reader.list('files')),
    checks: reader.readers('checks').map(readCheck),
    unproven: reader.texts('unproven'),
    discarded: details.texts('discarded_checks'),
    indistinct: details.record('indistinct'),
    isRolledBack: details.flag('is_rolled_back') === true,
    answer: reader.text('answer'),
    details: reader.record('details'),
    attempts: reader.number('attempts') ?? 0,
    tokensIn: reader.number('tokens_in') ?? 0,
    tokensOut: reader.number('tokens_out') ?? 0,
    seconds: reader.number('seconds') ?? 0,
    commit: reader.text('commit'),
  };
}
