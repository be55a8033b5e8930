import { PageHead } from '@/components/page-head';
import { KeyList } from '@/features/sandboxes/key-list';
import { SandboxList } from '@/features/sandboxes/sandbox-list';

export function SandboxesPage() {
  return (
    <div className="mx-auto max-w-4xl px-4 pt-8 pb-16 sm:px-8 sm:pt-10">
      <PageHead title="Sandboxes">
        Isolated machines for code that nobody has vouched for. Builds use them, and so can your own
        programs.
      </PageHead>
      <div className="grid grid-cols-1 gap-10">
        <SandboxList />
        <KeyList />
      </div>
    </div>
  );
}
