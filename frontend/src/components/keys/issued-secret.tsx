import { type ReactNode, useEffect, useRef } from 'react';
import { CopyButton } from '@/components/copy-button';
import { Button } from '@/components/ui/button';

interface IssuedSecretProps {
  title: ReactNode;
  warning: string;
  secret: string;
  testId: string;
  onClose: () => void;
  children: ReactNode;
}

/** A new key, the only time that it can be seen, and how a program uses it. */
export function IssuedSecret({
  title,
  warning,
  secret,
  testId,
  onClose,
  children,
}: IssuedSecretProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div className="mb-4 grid grid-cols-1 gap-4 rounded-xl border border-line-strong bg-surface p-4 sm:p-5">
      <div>
        <h3
          ref={heading}
          tabIndex={-1}
          className="flex items-center gap-2 font-semibold outline-none"
        >
          {title}
        </h3>
        <p className="mt-1 text-[0.93rem] text-ink-soft">{warning}</p>
      </div>
      <div className="flex min-w-0 items-center gap-2 rounded-lg border border-line bg-sunken py-1.5 pr-1.5 pl-3.5">
        <code className="min-w-0 grow font-mono text-[0.87rem] break-all" data-testid={testId}>
          {secret}
        </code>
        <CopyButton text={secret} label="the key" />
      </div>
      {children}
      <div>
        <Button tone="primary" onClick={onClose}>
          I have copied it
        </Button>
      </div>
    </div>
  );
}
