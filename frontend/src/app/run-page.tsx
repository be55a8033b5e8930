import { PageHead } from '@/components/page-head';
import { Workbench } from '@/features/runs/workbench';

export function RunPage() {
  return (
    <div className="mx-auto max-w-6xl px-4 pt-8 pb-16 sm:px-8 sm:pt-10">
      <PageHead title="Run code">
        Each run gets a fresh sandbox without a network, which is gone when the run is over.
      </PageHead>
      <Workbench />
    </div>
  );
}
