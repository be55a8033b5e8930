import { ArrowUp, Square } from 'lucide-react';
import { useState, type KeyboardEvent, type ReactNode } from 'react';
import { Button } from '@/components/ui/button';
import { InlineSelect } from '@/components/ui/field';

export type Approval = 'risky' | 'always' | 'never';

export interface Wish {
  mode: 'chat' | 'change';
  text: string;
  approval: Approval;
}

interface ComposerProps {
  isRunning: boolean;
  isSending: boolean;
  isStopping: boolean;
  modelPicker: ReactNode;
  onSend: (wish: Wish) => void;
  onStop: () => void;
}

const modes = [
  { mode: 'chat', label: 'Talk', hint: 'Ask or let the agent act; Enter sends' },
  { mode: 'change', label: 'Change the app', hint: 'A change that ends proven, or is rolled back' },
] as const;

const approvals: { value: Approval; label: string }[] = [
  { value: 'risky', label: 'Ask before risky actions' },
  { value: 'always', label: 'Ask before every change' },
  { value: 'never', label: 'Never ask' },
];

function ModeSwitch({
  mode,
  onChange,
}: {
  mode: Wish['mode'];
  onChange: (m: Wish['mode']) => void;
}) {
  return (
    <div role="radiogroup" aria-label="What to do" className="flex rounded-lg bg-sunken p-0.5">
      {modes.map((it) => (
        <label
          key={it.mode}
          className="cursor-pointer rounded-md px-2.5 py-1 text-[0.87rem] text-ink-soft focus-within:outline-2 focus-within:outline-accent has-checked:bg-surface has-checked:font-medium has-checked:text-ink has-checked:shadow-sm"
        >
          <input
            type="radio"
            name="mode"
            className="sr-only"
            checked={mode === it.mode}
            onChange={() => onChange(it.mode)}
          />
          {it.label}
        </label>
      ))}
    </div>
  );
}

/** Where the next message is written; while a turn runs it can be stopped. */
export function Composer(props: ComposerProps) {
  const { isRunning, isSending, isStopping, modelPicker, onSend, onStop } = props;
  const [text, setText] = useState('');
  const [mode, setMode] = useState<Wish['mode']>('chat');
  const [approval, setApproval] = useState<Approval>('risky');
  const canSend = text.trim() !== '' && !isRunning && !isSending;
  const send = () => {
    if (!canSend) return;
    onSend({ mode, text: text.trim(), approval });
    setText('');
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      aria-label="Message"
      className="rounded-2xl border border-line-strong bg-surface transition-colors focus-within:border-accent"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label htmlFor="message" className="sr-only">
        Message to the agent
      </label>
      <textarea
        id="message"
        rows={2}
        className="block max-h-60 w-full resize-none rounded-t-2xl bg-transparent px-4 pt-3 pb-1 leading-relaxed outline-none [field-sizing:content] placeholder:text-ink-faint"
        placeholder={modes.find((it) => it.mode === mode)?.hint}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-3 pb-2.5">
        <ModeSwitch mode={mode} onChange={setMode} />
        {modelPicker}
        <InlineSelect
          id="approval"
          label="Approval"
          value={approval}
          onChange={(event) =>
            setApproval(approvals.find((it) => it.value === event.target.value)?.value ?? 'risky')
          }
        >
          {approvals.map((it) => (
            <option key={it.value} value={it.value}>
              {it.label}
            </option>
          ))}
        </InlineSelect>
        {isRunning ? (
          <Button className="ml-auto" isBusy={isStopping} onClick={onStop}>
            {!isStopping && <Square aria-hidden />} Stop
          </Button>
        ) : (
          <Button
            type="submit"
            tone="primary"
            className="ml-auto"
            disabled={!canSend}
            isBusy={isSending}
          >
            Send {!isSending && <ArrowUp aria-hidden />}
          </Button>
        )}
      </div>
    </form>
  );
}
