import { cva, type VariantProps } from 'class-variance-authority';
import type { ComponentProps } from 'react';
import { cn } from '@/lib/cn';
import { Spinner } from './spinner';

const buttonStyle = cva(
  'inline-flex shrink-0 items-center justify-center gap-2 rounded-lg font-medium whitespace-nowrap ' +
    'transition-colors disabled:cursor-not-allowed disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      tone: {
        primary: 'bg-accent text-on-accent not-disabled:hover:bg-accent-strong',
        secondary: 'border border-line-strong bg-surface text-ink not-disabled:hover:bg-sunken',
        ghost: 'text-ink-soft not-disabled:hover:bg-sunken not-disabled:hover:text-ink',
        danger: 'border border-bad/40 bg-surface text-bad not-disabled:hover:bg-bad-soft',
      },
      size: { small: 'h-8 px-2.5 text-[0.87rem]', medium: 'h-9.5 px-4', icon: 'size-8' },
    },
    defaultVariants: { tone: 'secondary', size: 'medium' },
  },
);

interface ButtonProps extends ComponentProps<'button'>, VariantProps<typeof buttonStyle> {
  isBusy?: boolean;
}

export function Button({
  tone,
  size,
  isBusy = false,
  className,
  children,
  disabled,
  type = 'button',
  ...rest
}: ButtonProps) {
  return (
    <button
      type={type}
      className={cn(buttonStyle({ tone, size }), className)}
      disabled={disabled === true || isBusy}
      aria-busy={isBusy || undefined}
      {...rest}
    >
      {isBusy && <Spinner />}
      {children}
    </button>
  );
}

/** The same look for links. */
export function buttonClass(style: VariantProps<typeof buttonStyle>, className?: string): string {
  return cn(buttonStyle(style), className);
}
