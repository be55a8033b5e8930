import type { ConnectMode, DriveItem, DriveJob } from '@/api/types';
import type { Tone } from '@/components/ui/badge';
import { formatBytes, formatNumber, formatUntil } from '@/lib/format';

export const modeLabels: Record<ConnectMode, string> = {
  redirect: 'Sign in there and come back',
  device: 'With a short code, typed in there',
  paste: 'With a code, pasted here',
  login: 'Sign in at the server',
  password: 'With an app password',
};

/** WebDAV asks for the server first. */
export function needsAddress(mode: ConnectMode): boolean {
  return mode === 'login' || mode === 'password';
}

/** The server is asked again and again whether the user is done elsewhere. */
export function isPolled(mode: ConnectMode): boolean {
  return mode === 'device' || mode === 'login';
}

/** An address that may be opened: a server of a user's choice could send any scheme. */
export function openableUrl(text: string): string | null {
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
  } catch {
    return null;
  }
}

/** Where a provider sends the browser back to, if that is another place than this page's. */
export function otherOrigin(redirectUri: string, origin: string): string | null {
  const url = openableUrl(redirectUri);
  if (url === null) return null;
  const home = new URL(url).origin;
  return home === origin ? null : home;
}

const reasons: Record<string, string> = {
  connect_unknown:
    'The connection is used up, too old, or was begun in another browser. Start it anew here.',
  connect_refused: 'The provider did not let Diono in. Start again, and allow what it asks for.',
  too_many_drive_things: 'You have too many drives or open connections. Unlink one.',
  drive_busy: 'The provider does not answer now. Try again in a few minutes.',
};

/** Why the browser came back without a link. */
export function returnReason(code: string): string {
  return reasons[code] ?? 'The drive was not linked. Try again.';
}

export interface Step {
  /** Null: the root. */
  folderId: string | null;
  name: string;
}

/** The way down to a folder, cut where it is entered again. */
export function stepInto(path: readonly Step[], folder: DriveItem): Step[] {
  const known = path.findIndex((step) => step.folderId === folder.item_id);
  if (known >= 0) return path.slice(0, known + 1);
  return [...path, { folderId: folder.item_id, name: folder.name }];
}

export function isEnded(job: DriveJob): boolean {
  return job.finished_at !== null;
}

/** 0 to 1, by bytes where they are known, else by files. */
export function shareOf(job: DriveJob): number {
  if (job.state === 'SUCCEEDED') return 1;
  if (job.bytes_total > 0) return Math.min(1, job.bytes_done / job.bytes_total);
  return job.items_total > 0 ? (job.items_done + job.items_failed) / job.items_total : 0;
}

const states: Record<DriveJob['state'], { label: string; tone: Tone }> = {
  QUEUED: { label: 'waiting', tone: 'calm' },
  RUNNING: { label: 'under way', tone: 'accent' },
  SUCCEEDED: { label: 'done', tone: 'good' },
  FAILED: { label: 'failed', tone: 'bad' },
  CANCELLED: { label: 'stopped', tone: 'calm' },
};

export function stateOf(job: DriveJob): { label: string; tone: Tone } {
  if (job.is_cancelling && !isEnded(job)) return { label: 'stopping', tone: 'warn' };
  if (job.state === 'SUCCEEDED' && job.items_failed > 0) {
    return { label: 'done in part', tone: 'warn' };
  }
  return states[job.state];
}

/** `3 of 5 files · 1.2 MB of 4.0 MB · 1 failed · tried again in 12 s`. */
export function progressText(job: DriveJob, nowMilliseconds: number): string {
  const noun = job.items_total === 1 ? 'file' : 'files';
  const parts = [
    `${formatNumber(job.items_done)} of ${formatNumber(job.items_total)} ${noun}`,
    job.bytes_total > 0 && `${formatBytes(job.bytes_done)} of ${formatBytes(job.bytes_total)}`,
    job.items_failed > 0 && `${formatNumber(job.items_failed)} failed`,
    !isEnded(job) &&
      job.attempts > 0 &&
      Date.parse(job.due_at) > nowMilliseconds &&
      `tried again ${formatUntil(job.due_at, nowMilliseconds)}`,
  ];
  return parts.filter(Boolean).join(' · ');
}
