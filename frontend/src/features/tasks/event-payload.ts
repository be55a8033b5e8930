import { isRecord } from '@/api/errors';
import type { Check, TaskEvent } from '@/api/types';

/** Readers for the open payload of an event: a missing or wrong field reads as empty. */
export class PayloadReader {
  private readonly payload: Record<string, unknown>;

  constructor(event: TaskEvent) {
    this.payload = isRecord(event.payload) ? event.payload : {};
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

  record(name: string): Record<string, unknown> | null {
    const value = this.payload[name];
    return isRecord(value) ? value : null;
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

export function liveCheckFromEvent(event: TaskEvent): LiveCheck {
  const payload = new PayloadReader(event);
  return {
    name: payload.text('name') || 'Unnamed check',
    kind: payload.text('kind'),
    passed: payload.flag('passed'),
    detail: payload.text('detail'),
    isRequired: payload.flag('is_required') ?? true,
    candidate: payload.number('candidate'),
  };
}

export function liveCheckFromReceipt(check: Check): LiveCheck {
  return {
    name: check.name,
    kind: check.kind,
    passed: check.passed,
    detail: check.detail ?? '',
    isRequired: check.is_required ?? true,
    candidate: null,
  };
}
