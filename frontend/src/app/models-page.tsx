import { PageHead } from '@/components/page-head';
import { ModelCards } from '@/features/models/model-list';

export function ModelsPage() {
  return (
    <div className="mx-auto max-w-4xl px-4 pt-8 pb-16 sm:px-8 sm:pt-10">
      <PageHead title="Models">
        What each model can really do here, measured in one to two minutes. It decides how the model
        is asked: by tools or by fenced code, with how long a prompt, how many candidates.
      </PageHead>
      <ModelCards />
    </div>
  );
}
