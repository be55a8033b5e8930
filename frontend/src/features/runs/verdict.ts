import type { ExecutedProgram } from '@/api/types';
import type { Tone } from '@/components/ui/badge';
import { formatSeconds } from '@/lib/format';

export interface Verdict {
  tone: Tone;
  title: string;
  /** What to do about it; empty if nothing. */
  advice: string;
}

/** How a run ended, in words. `limitSeconds` is the limit that it had. */
export function verdictOf(result: ExecutedProgram, limitSeconds: number): Verdict {
  switch (result.status) {
    case 'succeeded':
      return { tone: 'good', title: 'Exit code 0', advice: '' };
    case 'failed':
      return { tone: 'bad', title: `Exit code ${result.exit_code ?? 'unknown'}`, advice: '' };
    case 'compile_error':
      return result.compiled
        ? {
            tone: 'bad',
            title: 'Not compiled',
            advice: 'The compiler refused it, so nothing was run. What it said is shown below.',
          }
        : { tone: 'bad', title: 'Not a valid program', advice: '' };
    case 'deadline':
      return {
        tone: 'warn',
        title: 'Out of time',
        advice: `It was stopped after ${formatSeconds(limitSeconds)}. Choose a longer time limit, or look for a loop or for input that never comes.`,
      };
    case 'memory':
      return {
        tone: 'warn',
        title: 'Out of memory',
        advice:
          'It wanted more memory than its sandbox has and was stopped. Keep less data at a time.',
      };
    default:
      return {
        tone: 'bad',
        title: 'Sandbox lost',
        advice: 'The sandbox ended under the program. Run it again.',
      };
  }
}

/** `12 ms`, then as everywhere. */
export function formatDuration(seconds: number): string {
  return seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : formatSeconds(seconds);
}
