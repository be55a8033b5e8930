import { useState } from 'react';
import { useNavigate } from 'react-router';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import { ModelNotes, ModelPicker } from '@/features/models/model-picker';
import { ComposeForm } from '@/features/tasks/compose-form';

export function ComposePage() {
  const navigate = useNavigate();
  const [model, setModel] = useState<string | null>(null);
  return (
    <div className="mx-auto max-w-3xl px-4 pt-[max(2rem,14vh)] pb-16 sm:px-8">
      <title>Diono</title>
      <h1 className="text-[1.87rem] leading-tight font-semibold tracking-tight">
        What should be built?
      </h1>
      <p className="mt-2 mb-7 max-w-prose text-ink-soft">
        One sentence is enough. It is planned, written, run and checked in a sandbox on this
        machine, and ends with a receipt of what was proven.
      </p>
      <ComposeForm
        model={model}
        modelPicker={<ModelPicker value={model} onChange={setModel} />}
        modelNotes={<ModelNotes value={model} />}
        onCreated={(taskId, problem) => {
          if (problem) {
            toast.error('The build did not start', { description: toApiError(problem).detail });
          }
          void navigate(`/tasks/${taskId}`);
        }}
      />
    </div>
  );
}
