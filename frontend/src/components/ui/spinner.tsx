import { LoaderCircle } from 'lucide-react';
import { cn } from '@/lib/cn';

export function Spinner({ className }: { className?: string }) {
  return <LoaderCircle aria-hidden className={cn('size-4 animate-spin', className)} />;
}

export function LoadingNote({ label, className }: { label: string; className?: string }) {
  return (
    <p
      role="status"
      className={cn('flex items-center justify-center gap-2 p-8 text-ink-faint', className)}
    >
      <Spinner /> {label}
    </p>
  );
}
