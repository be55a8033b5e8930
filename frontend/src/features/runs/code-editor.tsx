import { useRef, type KeyboardEvent } from 'react';
import { breakLine, indent, outdent, type Edit } from './editing';

interface CodeEditorProps {
  id: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  onRun: () => void;
}

/** Changes the text so that the browser's own undo knows of it, where that is possible. */
function apply(area: HTMLTextAreaElement, edit: Edit): void {
  area.setSelectionRange(edit.start, edit.end);
  const isDone =
    typeof document.execCommand === 'function' &&
    document.execCommand(edit.text ? 'insertText' : 'delete', false, edit.text);
  if (!isDone) area.setRangeText(edit.text, edit.start, edit.end);
  area.setSelectionRange(edit.selectionStart, edit.selectionEnd);
}

function editFor(event: KeyboardEvent<HTMLTextAreaElement>): Edit | null {
  const { value, selectionStart, selectionEnd } = event.currentTarget;
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.key === 'Tab') {
    return (event.shiftKey ? outdent : indent)(value, selectionStart, selectionEnd);
  }
  if (event.key === 'Enter' && !event.shiftKey) {
    return breakLine(value, selectionStart, selectionEnd);
  }
  return null;
}

/** A plain text area for code. Tab indents; after Escape it leaves, so nobody is caught in it. */
export function CodeEditor({ id, label, value, onChange, onRun }: CodeEditorProps) {
  const isLeaving = useRef(false);
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onRun();
      return;
    }
    if (event.key === 'Tab' && isLeaving.current) return;
    isLeaving.current = event.key === 'Escape' || (isLeaving.current && event.key === 'Shift');
    const edit = editFor(event);
    if (!edit) return;
    event.preventDefault();
    apply(event.currentTarget, edit);
    onChange(event.currentTarget.value);
  };
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="sr-only">
        {label}
      </label>
      <textarea
        id={id}
        aria-describedby={`${id}-hint`}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        autoCorrect="off"
        wrap="off"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={onKeyDown}
        onBlur={() => {
          isLeaving.current = false;
        }}
        className="h-80 min-h-40 w-full resize-y rounded-xl border border-line-strong bg-surface px-4 py-3 font-mono text-[0.87rem] leading-relaxed transition-colors [tab-size:4] hover:border-ink-faint lg:h-[26rem]"
      />
      <p id={`${id}-hint`} className="text-[0.8rem] text-ink-faint">
        Tab indents; press Escape, then Tab to leave the editor. Ctrl and Enter runs.
      </p>
    </div>
  );
}
