import { Ban, Check, CircleDashed, Hand, Pause, X } from 'lucide-react';
import type { ReactNode } from 'react';
import type { TaskStatus } from '@/api/types';
import { Spinner } from '@/components/ui/spinner';
import { cn } from '@/lib/cn';

interface StatusLook {
  label: string;
  icon: ReactNode;
  style: string;
  tone: 'accent' | 'good' | 'bad' | 'calm';
}

export const statusLooks: Record<TaskStatus, StatusLook> = {
  PENDING: {
    label: 'Waiting to start',
    icon: <CircleDashed aria-hidden />,
    style: 'bg-sunken text-ink-soft',
    tone: 'calm',
  },
  RUNNING: {
    label: 'Building',
    icon: <Spinner />,
    style: 'bg-accent-soft text-accent',
    tone: 'accent',
  },
  WAITING: {
    label: 'Waiting for you',
    icon: <Hand aria-hidden />,
    style: 'bg-warn-soft text-warn',
    tone: 'accent',
  },
  SUCCEEDED: {
    label: 'Succeeded',
    icon: <Check aria-hidden />,
    style: 'bg-good-soft text-good',
    tone: 'good',
  },
  FAILED: {
    label: 'Failed',
    icon: <X aria-hidden />,
    style: 'bg-bad-soft text-bad',
    tone: 'bad',
  },
  CANCELLED: {
    label: 'Cancelled',
    icon: <Ban aria-hidden />,
    style: 'bg-sunken text-ink-soft',
    tone: 'calm',
  },
};

interface StatusBadgeProps {
  status: TaskStatus;
  kind?: string;
  isPaused?: boolean;
}

function labelOf({ status, kind = 'build', isPaused = false }: StatusBadgeProps): string {
  if (isPaused) return 'Paused';
  if (status === 'RUNNING' && kind !== 'build') return 'Working';
  return statusLooks[status].label;
}

export function StatusBadge(props: StatusBadgeProps) {
  const { style } = statusLooks[props.status];
  const icon = props.isPaused ? <Pause aria-hidden /> : statusLooks[props.status].icon;
  const label = labelOf(props);
  return (
    <span
      data-testid="task-status"
      className={cn(
        'inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-[0.87rem] font-medium [&_svg]:size-3.5',
        style,
      )}
    >
      {icon}
      {label}
    </span>
  );
}

/** The status as one mark, for lists. */
export function StatusMark(props: StatusBadgeProps) {
  const { icon, style } = statusLooks[props.status];
  return (
    <span
      className={cn('grid size-5 shrink-0 place-items-center rounded-full [&_svg]:size-3', style)}
    >
      {props.isPaused ? <Pause aria-hidden /> : icon}
      <span className="sr-only">{labelOf(props)}: </span>
    </span>
  );
}
