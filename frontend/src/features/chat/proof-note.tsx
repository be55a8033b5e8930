import { CircleCheck, CircleX, Undo2 } from 'lucide-react';
import { readCheck } from '@/components/checks/check-data';
import { CheckGroups } from '@/components/checks/check-groups';
import { PayloadReader } from '@/lib/payload';

interface Proof {
  checks: ReturnType<typeof readCheck>[];
  unproven: string[];
  isRolledBack: boolean;
}

export function proofOf(receipt: unknown): Proof {
  const reader = new PayloadReader(receipt);
  const details = new PayloadReader(reader.record('details'));
  return {
    checks: reader.readers('checks').map(readCheck),
    unproven: reader.texts('unproven'),
    isRolledBack: details.flag('is_rolled_back') === true,
  };
}

function headline({ checks, isRolledBack }: Proof) {
  const green = checks.filter((check) => check.passed === true).length;
  const red = checks.filter((check) => check.passed === false && check.isRequired);
  if (isRolledBack) {
    return { icon: Undo2, style: 'text-warn', text: 'Rolled back: the files are as they were' };
  }
  if (red.length > 0) {
    return { icon: CircleX, style: 'text-bad', text: `${red.length} required checks failed` };
  }
  return {
    icon: CircleCheck,
    style: 'text-good',
    text: `${green} of ${checks.length} checks green`,
  };
}

/** What speaks for a turn's changes, folded to one line. */
export function ProofNote({ receipt }: { receipt: unknown }) {
  const proof = proofOf(receipt);
  if (proof.checks.length === 0 && !proof.isRolledBack && proof.unproven.length === 0) return null;
  if (proof.checks.length === 0 && !proof.isRolledBack) {
    return <p className="text-[0.87rem] break-words text-warn">{proof.unproven.join(' ')}</p>;
  }
  const { icon: Icon, style, text } = headline(proof);
  return (
    <details data-testid="proof" className="rounded-lg border border-line bg-surface">
      <summary className="flex items-center gap-2 px-3 py-1.75 text-[0.87rem] font-medium">
        <Icon aria-hidden className={`size-4.5 shrink-0 ${style}`} /> {text}
      </summary>
      <div className="grid gap-5 border-t border-line p-3.5">
        <CheckGroups checks={proof.checks} unproven={proof.unproven} />
      </div>
    </details>
  );
}
