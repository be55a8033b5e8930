import type { ReactNode } from 'react';
import { cn } from '@/lib/cn';

const tones = {
  good: 'bg-good-soft text-good',
  bad: 'bg-bad-soft text-bad',
  warn: 'bg-warn-soft text-warn',
  accent: 'bg-accent-soft text-accent',
  calm: 'bg-sunken text-ink-soft',
};

export type Tone = keyof typeof tones;

export function Badge({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span
      className={cn(
        'inline-flex shrink-0 items-center gap-1.5 rounded-full px-2.5 py-0.5 text-[0.87rem] font-medium [&_svg]:size-3.5',
        tones[tone],
      )}
    >
      {children}
    </span>
  );
}
