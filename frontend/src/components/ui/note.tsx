import { CircleAlert, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { cn } from '@/lib/cn';

const tones = {
  bad: { icon: CircleAlert, style: 'border-bad/35 bg-bad-soft', mark: 'text-bad', role: 'alert' },
  warn: {
    icon: TriangleAlert,
    style: 'border-warn/35 bg-warn-soft',
    mark: 'text-warn',
    role: 'status',
  },
  calm: { icon: Info, style: 'border-line bg-sunken', mark: 'text-ink-faint', role: 'status' },
} as const;

interface NoteProps {
  tone?: keyof typeof tones;
  title?: string;
  children: ReactNode;
  action?: ReactNode;
  className?: string;
}

export function Note({ tone = 'calm', title, children, action, className }: NoteProps) {
  const { icon: Icon, style, mark, role } = tones[tone];
  return (
    <div role={role} className={cn('flex gap-3 rounded-xl border px-4 py-3', style, className)}>
      <Icon aria-hidden className={cn('mt-0.5 size-4.5 shrink-0', mark)} />
      <div className="min-w-0 grow">
        {title && <p className="font-medium">{title}</p>}
        <div className="text-[0.93rem] break-words text-ink-soft">{children}</div>
        {action && <div className="mt-2.5">{action}</div>}
      </div>
    </div>
  );
}

interface EmptyStateProps {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

export function EmptyState({ icon, title, children, action }: EmptyStateProps) {
  return (
    <div className="mx-auto flex max-w-sm flex-col items-center gap-2 px-6 py-14 text-center">
      <div className="mb-1 text-ink-faint [&_svg]:size-7" aria-hidden>
        {icon}
      </div>
      <p className="font-medium">{title}</p>
      {children && <div className="text-[0.93rem] text-ink-soft">{children}</div>}
      {action && <div className="mt-3">{action}</div>}
    </div>
  );
}
