import { isRecord } from '@/api/errors';

/** Reads an open JSON object (an event's payload, a receipt): a missing field reads as empty. */
export class PayloadReader {
  private readonly payload: Record<string, unknown>;

  constructor(payload: unknown) {
    this.payload = isRecord(payload) ? payload : {};
  }

  text(name: string): string {
    const value = this.payload[name];
    return typeof value === 'string' ? value : '';
  }

  number(name: string): number | null {
    const value = this.payload[name];
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  }

  /** True, false, or null where the payload does not say. */
  flag(name: string): boolean | null {
    const value = this.payload[name];
    return typeof value === 'boolean' ? value : null;
  }

  record(name: string): Record<string, unknown> {
    const value = this.payload[name];
    return isRecord(value) ? value : {};
  }

  list(name: string): unknown[] {
    const value = this.payload[name];
    return Array.isArray(value) ? value : [];
  }
}

export interface LiveCheck {
  name: string;
  kind: string;
  passed: boolean | null;
  detail: string;
  isRequired: boolean;
  candidate: number | null;
}

export function readCheck(payload: PayloadReader): LiveCheck {
  return {
    name: payload.text('name') || 'Unnamed check',
    kind: payload.text('kind'),
    passed: payload.flag('passed'),
    detail: payload.text('detail'),
    isRequired: payload.flag('is_required') ?? true,
    candidate: payload.number('candidate'),
  };
}
