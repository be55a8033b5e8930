import { isRecord, textsOf } from './json';

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

  has(name: string): boolean {
    return this.payload[name] !== undefined && this.payload[name] !== null;
  }

  record(name: string): Record<string, unknown> {
    const value = this.payload[name];
    return isRecord(value) ? value : {};
  }

  list(name: string): unknown[] {
    const value = this.payload[name];
    return Array.isArray(value) ? value : [];
  }

  texts(name: string): string[] {
    return textsOf(this.payload[name]);
  }

  /** The records of a list, each to be read. */
  readers(name: string): PayloadReader[] {
    return this.list(name)
      .filter(isRecord)
      .map((value) => new PayloadReader(value));
  }
}
