import { cn } from '@/lib/cn';

interface ProgressBarProps {
  /** 0 to 1. */
  value: number;
  label: string;
  tone?: 'accent' | 'good' | 'bad' | 'calm';
}

const fills = { accent: 'bg-accent', good: 'bg-good', bad: 'bg-bad', calm: 'bg-ink-faint' };

export function ProgressBar({ value, label, tone = 'accent' }: ProgressBarProps) {
  const percent = Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className="h-1.5 overflow-hidden rounded-full bg-sunken ring-1 ring-line ring-inset"
    >
      <div
        className={cn('h-full rounded-full transition-[width] duration-500', fills[tone])}
        style={{ width: `${percent}%` }}
      />
    </div>
  );
}
