import { Hand } from 'lucide-react';
import { useId, useState, type ReactNode } from 'react';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { Note } from '@/components/ui/note';
import { changesOf, recordOf, textOf } from './plan-data';
import { PlanEditor } from './plan-editor';

/** The open question of a run, as the API has it. */
export interface OpenQuestion {
  key: string;
  kind: 'plan' | 'action' | 'question';
  text: string;
  choices: readonly string[];
  details?: Record<string, unknown>;
}

export interface QuestionAnswer {
  approved: boolean;
  text: string;
  details: Record<string, unknown>;
}

interface QuestionCardProps {
  question: OpenQuestion;
  isBusy: boolean;
  error: Error | null;
  onAnswer: (answer: QuestionAnswer) => void;
}

function Frame({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      data-testid="question"
      className="grid gap-4 rounded-xl border border-warn/40 bg-surface p-4 sm:p-5"
    >
      <h2 id={id} className="flex items-center gap-2.5 font-semibold">
        <Hand aria-hidden className="size-4.5 shrink-0 text-warn" />
        <span aria-live="polite">{title}</span>
      </h2>
      {children}
    </section>
  );
}

function ReplyField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (text: string) => void;
}) {
  const id = useId();
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-[0.87rem] font-medium">
        {label}
      </label>
      <textarea
        id={id}
        rows={2}
        className="w-full resize-y rounded-lg border border-line-strong bg-surface px-3 py-2"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}

function PlanQuestion({ question, isBusy, onAnswer }: QuestionCardProps) {
  const original = question.details ?? {};
  const [details, setDetails] = useState<Record<string, unknown>>(original);
  const [reason, setReason] = useState('');
  const problem = textOf(original['problem']);
  const changes = changesOf(original, details);
  const isChanged = Object.keys(changes).length > 0;
  return (
    <Frame title="Is this plan right?">
      {problem && (
        <Note tone="warn" title="The plan as you changed it cannot be used">
          {problem}
        </Note>
      )}
      <p className="break-words text-ink-soft">{question.text}</p>
      <PlanEditor details={details} isReadOnly={false} onChange={setDetails} />
      <ReplyField
        label="What is wrong with it (when you send it back)"
        value={reason}
        onChange={setReason}
      />
      <div className="sticky bottom-0 -mx-4 -mb-4 flex flex-wrap items-center gap-2 rounded-b-xl border-t border-line bg-surface px-4 py-3 sm:-mx-5 sm:-mb-5 sm:px-5">
        <Button
          tone="primary"
          isBusy={isBusy}
          onClick={() => onAnswer({ approved: true, text: '', details: changes })}
        >
          {isChanged ? 'Approve with your changes' : 'Approve'}
        </Button>
        <Button
          disabled={isBusy}
          onClick={() => onAnswer({ approved: false, text: reason.trim(), details: {} })}
        >
          Send back
        </Button>
        <span className="text-[0.87rem] text-ink-faint">
          Sent back, the work ends here; nothing was written yet.
        </span>
      </div>
    </Frame>
  );
}

function ActionQuestion({ question, isBusy, onAnswer }: QuestionCardProps) {
  const [text, setText] = useState('');
  const details = question.details ?? {};
  const risk = textOf(details['risk']);
  const shown = Object.entries(recordOf(details['arguments']));
  const answer = (approved: boolean) => onAnswer({ approved, text: text.trim(), details: {} });
  return (
    <Frame title={`Allow ${textOf(details['tool']).replaceAll('_', ' ') || 'this action'}?`}>
      <p className="break-words text-ink-soft">{question.text}</p>
      {shown.map(([name, value]) => (
        <figure key={name} className="min-w-0">
          <figcaption className="mb-1 text-[0.8rem] text-ink-faint">{name}</figcaption>
          <pre
            tabIndex={0}
            aria-label={name}
            className="max-h-48 overflow-auto rounded-lg bg-sunken p-2.5 font-mono text-[0.84rem] break-words whitespace-pre-wrap"
          >
            {typeof value === 'string' ? value : JSON.stringify(value, null, 2)}
          </pre>
        </figure>
      ))}
      {risk && <p className="text-[0.93rem] text-warn">Why it waits: {risk}.</p>}
      <ReplyField label="A word to the agent (optional)" value={text} onChange={setText} />
      <div className="flex flex-wrap gap-2">
        <Button tone="danger" isBusy={isBusy} onClick={() => answer(true)}>
          Allow
        </Button>
        <Button disabled={isBusy} onClick={() => answer(false)}>
          Refuse
        </Button>
      </div>
    </Frame>
  );
}

function FreeQuestion({ question, isBusy, onAnswer }: QuestionCardProps) {
  const [text, setText] = useState('');
  const reply = (words: string) => onAnswer({ approved: true, text: words, details: {} });
  return (
    <Frame title="The agent asks you">
      <p className="break-words whitespace-pre-wrap">{question.text}</p>
      {question.choices.length > 0 && (
        <div className="flex flex-wrap gap-2" role="group" aria-label="Possible answers">
          {question.choices.map((choice) => (
            <Button key={choice} disabled={isBusy} onClick={() => reply(choice)}>
              <span className="whitespace-normal">{choice}</span>
            </Button>
          ))}
        </div>
      )}
      <ReplyField label="Your answer" value={text} onChange={setText} />
      <div className="flex flex-wrap gap-2">
        <Button
          tone="primary"
          isBusy={isBusy}
          disabled={text.trim() === ''}
          onClick={() => reply(text.trim())}
        >
          Answer
        </Button>
        <Button
          disabled={isBusy}
          onClick={() => onAnswer({ approved: false, text: '', details: {} })}
        >
          Go on without an answer
        </Button>
      </div>
    </Frame>
  );
}

const kinds = { plan: PlanQuestion, action: ActionQuestion, question: FreeQuestion };

/** Something that only the user may decide; each question begins with an empty form. */
export function QuestionCard(props: QuestionCardProps) {
  const Form = kinds[props.question.kind];
  return (
    <div className="grid gap-3">
      {props.error && <ErrorNote title="Your answer was not taken" error={props.error} />}
      <Form key={props.question.key} {...props} />
    </div>
  );
}
