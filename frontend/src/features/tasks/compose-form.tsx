import { ArrowRight } from 'lucide-react';
import { useState, type KeyboardEvent, type ReactNode } from 'react';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { InlineSelect } from '@/components/ui/field';
import { examples } from './examples';
import { useCreateTask, useRunTask } from './queries';

interface ComposeFormProps {
  model: string | null;
  modelPicker: ReactNode;
  modelNotes: ReactNode;
  /** `problem` is set if the task was made but would not start. */
  onCreated: (taskId: string, problem: Error | null) => void;
}

const budgets = [
  { seconds: '', label: 'Default' },
  { seconds: '180', label: '3 minutes' },
  { seconds: '600', label: '10 minutes' },
  { seconds: '1800', label: '30 minutes' },
];

const tokenBudgets = [
  { tokens: '', label: 'No limit' },
  { tokens: '20000', label: '20,000' },
  { tokens: '100000', label: '100,000' },
];

export function ComposeForm({ model, modelPicker, modelNotes, onCreated }: ComposeFormProps) {
  const [prompt, setPrompt] = useState('');
  const [budget, setBudget] = useState('');
  const [tokens, setTokens] = useState('');
  const [isPlanAsked, setIsPlanAsked] = useState(false);
  const create = useCreateTask();
  const run = useRunTask();
  const isBusy = create.isPending || run.isPending;
  const canSubmit = prompt.trim() !== '' && !isBusy;

  const submit = async () => {
    if (!canSubmit) return;
    const task = await create
      .mutateAsync({
        prompt: prompt.trim(),
        model,
        budgetSeconds: budget ? Number(budget) : null,
        budgetTokens: tokens ? Number(tokens) : null,
        isPlanAsked,
      })
      .catch(() => null);
    if (!task) return;
    const problem = await run
      .mutateAsync(task.task_id)
      .then(() => null)
      .catch((error: Error) => error);
    onCreated(task.task_id, problem);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void submit();
  };

  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <div className="rounded-2xl border border-line-strong bg-surface shadow-[0_1px_2px_oklch(0.2_0.02_268/0.05),0_8px_24px_-12px_oklch(0.2_0.02_268/0.12)] transition-colors focus-within:border-accent">
        <label htmlFor="prompt" className="sr-only">
          What should be built?
        </label>
        <textarea
          id="prompt"
          rows={4}
          className="block w-full resize-y rounded-t-2xl bg-transparent px-4.5 pt-4 pb-2 text-[1.07rem] leading-relaxed outline-none placeholder:text-ink-faint"
          placeholder="A command-line program that…"
          value={prompt}
          disabled={isBusy}
          onChange={(event) => setPrompt(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <div className="flex flex-wrap items-center gap-x-5 gap-y-2.5 border-t border-line px-3.5 py-2.5">
          {modelPicker}
          <InlineSelect
            id="budget"
            label="Time limit"
            value={budget}
            onChange={(event) => setBudget(event.target.value)}
          >
            {budgets.map(({ seconds, label }) => (
              <option key={label} value={seconds}>
                {label}
              </option>
            ))}
          </InlineSelect>
          <InlineSelect
            id="budget-tokens"
            label="Tokens"
            value={tokens}
            onChange={(event) => setTokens(event.target.value)}
          >
            {tokenBudgets.map(({ tokens: count, label }) => (
              <option key={label} value={count}>
                {label}
              </option>
            ))}
          </InlineSelect>
          <label className="flex items-center gap-2 text-[0.87rem] text-ink-soft">
            <input
              type="checkbox"
              className="size-4 accent-accent"
              checked={isPlanAsked}
              onChange={(event) => setIsPlanAsked(event.target.checked)}
            />
            Show me the plan first
          </label>
          <Button
            type="submit"
            tone="primary"
            className="ml-auto"
            disabled={!canSubmit}
            isBusy={isBusy}
          >
            Build it {!isBusy && <ArrowRight aria-hidden />}
          </Button>
        </div>
      </div>
      {create.error && <ErrorNote title="The build was not started" error={create.error} />}
      {modelNotes}
      <div className="flex flex-wrap items-center gap-2" role="group" aria-label="Examples">
        <span className="mr-1 text-[0.87rem] text-ink-faint">Try</span>
        {examples.map((example) => (
          <button
            key={example.label}
            type="button"
            className="rounded-full border border-line bg-surface px-3 py-1 text-[0.87rem] text-ink-soft transition-colors hover:border-line-strong hover:text-ink"
            onClick={() => {
              setPrompt(example.prompt);
              document.getElementById('prompt')?.focus();
            }}
          >
            {example.label}
          </button>
        ))}
      </div>
    </form>
  );
}
