import type { ComponentProps } from 'react';
import { cn } from '@/lib/cn';

const control =
  'w-full rounded-lg border border-line-strong bg-surface px-3 text-ink placeholder:text-ink-faint ' +
  'transition-colors hover:border-ink-faint disabled:opacity-60 aria-invalid:border-bad';

interface LabelledProps {
  label: string;
  hint?: string | undefined;
}

export function TextField({
  label,
  hint,
  id,
  className,
  ...rest
}: LabelledProps & ComponentProps<'input'> & { id: string }) {
  return (
    <div className="grid content-start gap-1.5">
      <label htmlFor={id} className="text-[0.87rem] font-medium">
        {label}
      </label>
      <input
        id={id}
        className={cn(control, 'h-10', className)}
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...rest}
      />
      {hint && (
        <p id={`${id}-hint`} className="text-[0.87rem] text-ink-faint">
          {hint}
        </p>
      )}
    </div>
  );
}

export function TextArea({
  label,
  hint,
  id,
  className,
  ...rest
}: LabelledProps & ComponentProps<'textarea'> & { id: string }) {
  return (
    <div className="grid content-start gap-1.5">
      <label htmlFor={id} className="text-[0.87rem] font-medium">
        {label}
      </label>
      <textarea
        id={id}
        className={cn(control, 'resize-y py-2', className)}
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...rest}
      />
      {hint && (
        <p id={`${id}-hint`} className="text-[0.87rem] text-ink-faint">
          {hint}
        </p>
      )}
    </div>
  );
}

export function SelectField({
  label,
  hint,
  id,
  className,
  children,
  ...rest
}: LabelledProps & ComponentProps<'select'> & { id: string }) {
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-[0.87rem] font-medium">
        {label}
      </label>
      <select
        id={id}
        className={cn(control, 'h-10 truncate', className)}
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...rest}
      >
        {children}
      </select>
      {hint && (
        <p id={`${id}-hint`} className="text-[0.87rem] text-ink-faint">
          {hint}
        </p>
      )}
    </div>
  );
}

export function CheckField({
  label,
  hint,
  id,
  className,
  ...rest
}: LabelledProps & ComponentProps<'input'> & { id: string }) {
  return (
    <div className="flex items-start gap-2.5">
      <input
        id={id}
        type="checkbox"
        className={cn('mt-1 size-4 shrink-0 accent-accent', className)}
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...rest}
      />
      <div>
        <label htmlFor={id}>{label}</label>
        {hint && (
          <p id={`${id}-hint`} className="text-[0.87rem] text-ink-faint">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}

/** A compact select with its label in front, as one control. */
export function InlineSelect({
  label,
  id,
  className,
  children,
  ...rest
}: LabelledProps & ComponentProps<'select'> & { id: string }) {
  return (
    <div className="flex min-w-0 items-center gap-2">
      <label htmlFor={id} className="shrink-0 text-[0.87rem] text-ink-faint">
        {label}
      </label>
      <select
        id={id}
        className={cn(control, 'h-8 min-w-0 truncate pr-1 pl-2 text-[0.87rem]', className)}
        {...rest}
      >
        {children}
      </select>
    </div>
  );
}
