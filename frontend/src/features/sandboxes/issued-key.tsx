import { KeyRound } from 'lucide-react';
import { useEffect, useRef } from 'react';
import type { IssuedSandboxKey } from '@/api/types';
import { CodeBox } from '@/components/code-box';
import { CopyButton } from '@/components/copy-button';
import { Button } from '@/components/ui/button';
import { Note } from '@/components/ui/note';
import { environmentLines, PYTHON_EXAMPLE } from './snippets';

interface IssuedKeyProps {
  issued: IssuedSandboxKey;
  onClose: () => void;
}

/** A new key, the only time that it can be seen, and how a program uses it. */
export function IssuedKey({ issued, onClose }: IssuedKeyProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const isReachable = 'E2B_API_URL' in issued.environment;
  return (
    <div className="mb-4 grid grid-cols-1 gap-4 rounded-xl border border-line-strong bg-surface p-4 sm:p-5">
      <div>
        <h3
          ref={heading}
          tabIndex={-1}
          className="flex items-center gap-2 font-semibold outline-none"
        >
          <KeyRound aria-hidden className="size-4.5 text-ink-faint" />
          {issued.name ? `“${issued.name}” is ready` : 'Your key is ready'}
        </h3>
        <p className="mt-1 text-[0.93rem] text-ink-soft">
          This is the only time that the key is shown: copy it now. Whoever has it acts as you in
          sandboxes.
        </p>
      </div>
      <div className="flex min-w-0 items-center gap-2 rounded-lg border border-line bg-sunken py-1.5 pr-1.5 pl-3.5">
        <code className="min-w-0 grow font-mono text-[0.87rem] break-all" data-testid="new-key">
          {issued.key}
        </code>
        <CopyButton text={issued.key} label="the key" />
      </div>
      {!isReachable && (
        <Note tone="warn" title="Programs cannot reach the service yet">
          It listens on this machine’s own socket only. Set DIONO_SANDBOX_LISTEN to an address such
          as 127.0.0.1:8090 and restart Diono; the two lines with that address are then shown here.
        </Note>
      )}
      <CodeBox
        title="Environment"
        text={environmentLines(issued.environment)}
        testId="key-environment"
      />
      <CodeBox title="Python, after pip install e2b" text={PYTHON_EXAMPLE} testId="key-example" />
      <div>
        <Button tone="primary" onClick={onClose}>
          I have copied it
        </Button>
      </div>
    </div>
  );
}
