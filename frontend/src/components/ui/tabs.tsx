import { Tabs as Primitive } from 'radix-ui';
import type { ComponentProps } from 'react';
import { cn } from '@/lib/cn';

export function Tabs({ className, ...rest }: ComponentProps<typeof Primitive.Root>) {
  return <Primitive.Root className={cn('flex min-h-0 flex-col', className)} {...rest} />;
}

export function TabList({ className, ...rest }: ComponentProps<typeof Primitive.List>) {
  return (
    <Primitive.List
      className={cn('flex shrink-0 gap-1 overflow-x-auto border-b border-line px-3', className)}
      {...rest}
    />
  );
}

export function Tab({ className, ...rest }: ComponentProps<typeof Primitive.Trigger>) {
  return (
    <Primitive.Trigger
      className={cn(
        '-mb-px flex items-center gap-1.5 border-b-2 border-transparent px-2.5 py-2.5 text-[0.93rem]',
        'font-medium whitespace-nowrap text-ink-faint transition-colors hover:text-ink',
        'outline-offset-[-2px] data-[state=active]:border-accent data-[state=active]:text-ink',
        className,
      )}
      {...rest}
    />
  );
}

export function TabPanel({ className, ...rest }: ComponentProps<typeof Primitive.Content>) {
  return (
    <Primitive.Content
      className={cn('min-h-0 grow outline-offset-[-2px] data-[state=inactive]:hidden', className)}
      {...rest}
    />
  );
}
