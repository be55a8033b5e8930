import { Trash2 } from 'lucide-react';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { textsOf } from '@/lib/json';
import { itemsOf, recordsOf, textOf, withChange, without, withItems } from './plan-data';
import { SpecEditor, type EditorProps } from './spec-editor';

type Json = Record<string, unknown>;

function FileItem({
  item,
  isReadOnly,
  onChange,
  onRemove,
}: {
  item: Json;
  isReadOnly: boolean;
  onChange: (changes: Json) => void;
  onRemove: () => void;
}) {
  const path = textOf(item['path']);
  const after = textsOf(item['depends_on']);
  return (
    <li className="grid gap-1.5 px-3.5 py-3">
      <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1.5">
        <code className="min-w-0 font-mono text-[0.87rem] break-all">{path}</code>
        <Badge tone="calm">{item['maker'] === 'generator' ? 'generated' : 'by the model'}</Badge>
        {textOf(item['phase']) && (
          <span className="text-[0.8rem] text-ink-faint">{textOf(item['phase'])}</span>
        )}
        {!isReadOnly && (
          <Button
            tone="ghost"
            size="icon"
            className="ml-auto"
            aria-label={`Take ${path} out of the plan`}
            onClick={onRemove}
          >
            <Trash2 aria-hidden />
          </Button>
        )}
      </div>
      <input
        aria-label={`Purpose of ${path}`}
        className="h-9 w-full rounded-lg border border-line-strong bg-surface px-2.5 text-[0.93rem]"
        value={textOf(item['purpose'])}
        readOnly={isReadOnly}
        onChange={(event) => onChange({ purpose: event.target.value })}
      />
      {after.length > 0 && (
        <p className="text-[0.8rem] break-words text-ink-faint">After {after.join(', ')}</p>
      )}
    </li>
  );
}

function FileList({ details, isReadOnly, onChange }: EditorProps) {
  const items = itemsOf(details);
  if (items.length === 0) return null;
  return (
    <fieldset>
      <legend className="mb-2 text-[0.87rem] font-medium">Files, in the order of the work</legend>
      <ol className="divide-y divide-line rounded-xl border border-line">
        {items.map((item, index) => (
          <FileItem
            key={textOf(item['path'])}
            item={item}
            isReadOnly={isReadOnly}
            onChange={(changes) => onChange(withItems(details, withChange(items, index, changes)))}
            onRemove={() => onChange(withItems(details, without(items, index)))}
          />
        ))}
      </ol>
    </fieldset>
  );
}

function OperationList({ details, isReadOnly, onChange }: EditorProps) {
  const operations = recordsOf(details['operations']);
  if (operations.length === 0) return null;
  return (
    <fieldset>
      <legend className="mb-2 text-[0.87rem] font-medium">Steps of the change</legend>
      <ol className="divide-y divide-line rounded-xl border border-line">
        {operations.map((operation, index) => (
          <li
            key={JSON.stringify(operation)}
            className="flex items-center gap-2 px-3.5 py-2 font-mono text-[0.84rem]"
          >
            <span className="min-w-0 grow break-words">
              {Object.entries(operation)
                .filter(([, value]) => value !== null && value !== '')
                .map(
                  ([name, value]) =>
                    `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
                )
                .join(' · ')}
            </span>
            {!isReadOnly && (
              <Button
                tone="ghost"
                size="icon"
                aria-label={`Leave out step ${index + 1}`}
                disabled={operations.length === 1}
                onClick={() => onChange({ ...details, operations: without(operations, index) })}
              >
                <Trash2 aria-hidden />
              </Button>
            )}
          </li>
        ))}
      </ol>
    </fieldset>
  );
}

/** The plan as a form: what is to be built, and the files that it takes. */
export function PlanEditor(props: EditorProps) {
  return (
    <div className="grid gap-5">
      <SpecEditor {...props} />
      <FileList {...props} />
      <OperationList {...props} />
    </div>
  );
}
