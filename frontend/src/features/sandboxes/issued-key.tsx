import { KeyRound } from 'lucide-react';
import type { IssuedSandboxKey } from '@/api/types';
import { CodeBox } from '@/components/code-box';
import { IssuedSecret } from '@/components/keys/issued-secret';
import { Note } from '@/components/ui/note';
import { environmentLines, PYTHON_EXAMPLE } from './snippets';

interface IssuedKeyProps {
  issued: IssuedSandboxKey;
  onClose: () => void;
}

export function IssuedKey({ issued, onClose }: IssuedKeyProps) {
  const isReachable = 'E2B_API_URL' in issued.environment;
  return (
    <IssuedSecret
      title={
        <>
          <KeyRound aria-hidden className="size-4.5 text-ink-faint" />
          {issued.name ? `“${issued.name}” is ready` : 'Your key is ready'}
        </>
      }
      warning="This is the only time that the key is shown: copy it now. Whoever has it acts as you in sandboxes."
      secret={issued.key}
      testId="new-key"
      onClose={onClose}
    >
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
    </IssuedSecret>
  );
}
