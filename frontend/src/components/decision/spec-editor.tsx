import { Plus, Trash2 } from 'lucide-react';
import { Button } from '@/components/ui/button';
import { TextArea, TextField } from '@/components/ui/field';
import {
  recordOf,
  recordsOf,
  specOf,
  textOf,
  withChange,
  without,
  withoutFunction,
  withSpec,
} from './plan-data';

type Json = Record<string, unknown>;

const fieldTypes = ['text', 'long_text', 'integer', 'number', 'boolean', 'date'];
const inputStyle =
  'h-9 w-full min-w-0 rounded-lg border border-line-strong bg-surface px-2.5 text-[0.93rem] disabled:opacity-70';

export interface EditorProps {
  details: Json;
  isReadOnly: boolean;
  onChange: (details: Json) => void;
}

function FieldRow({
  field,
  number,
  isReadOnly,
  isLast,
  onChange,
  onRemove,
}: {
  field: Json;
  number: number;
  isReadOnly: boolean;
  isLast: boolean;
  onChange: (changes: Json) => void;
  onRemove: () => void;
}) {
  const name = textOf(field['name']);
  return (
    <li className="grid grid-cols-[1fr_auto_auto] items-center gap-2">
      <input
        aria-label={`Name of field ${number}`}
        className={`${inputStyle} font-mono`}
        value={name}
        readOnly={isReadOnly}
        maxLength={40}
        onChange={(event) => onChange({ name: event.target.value })}
      />
      <select
        aria-label={`Type of field ${number}`}
        className={inputStyle}
        value={textOf(field['type']) || 'text'}
        disabled={isReadOnly}
        onChange={(event) => onChange({ type: event.target.value })}
      >
        {fieldTypes.map((type) => (
          <option key={type} value={type}>
            {type.replace('_', ' ')}
          </option>
        ))}
      </select>
      <Button
        tone="ghost"
        size="icon"
        aria-label={`Remove the field ${name || number}`}
        disabled={isReadOnly || isLast}
        onClick={onRemove}
      >
        <Trash2 aria-hidden />
      </Button>
    </li>
  );
}

function EntityEditor({ details, isReadOnly, onChange }: EditorProps) {
  const entity = specOf(details)['entity'];
  const fields = recordsOf(recordOf(entity)['fields']);
  if (fields.length === 0) return null;
  const change = (list: readonly Json[]) =>
    onChange(withSpec(details, { entity: { ...recordOf(entity), fields: list } }));
  return (
    <fieldset>
      <legend className="mb-2 text-[0.87rem] font-medium">
        What a {textOf(recordOf(entity)['name'])} has
      </legend>
      <ul className="grid gap-2">
        {fields.map((field, index) => (
          <FieldRow
            // Names change while they are typed; places do not.
            key={`field-${index + 1}`}
            field={field}
            number={index + 1}
            isReadOnly={isReadOnly}
            isLast={fields.length === 1}
            onChange={(changes) => change(withChange(fields, index, changes))}
            onRemove={() => change(without(fields, index))}
          />
        ))}
      </ul>
      {!isReadOnly && (
        <Button
          size="small"
          className="mt-2"
          onClick={() => change([...fields, { name: `field_${fields.length + 1}`, type: 'text' }])}
        >
          <Plus aria-hidden /> Add a field
        </Button>
      )}
    </fieldset>
  );
}

function FunctionList({ details, isReadOnly, onChange }: EditorProps) {
  const functions = recordsOf(specOf(details)['functions']);
  if (functions.length === 0) return null;
  return (
    <fieldset>
      <legend className="mb-2 text-[0.87rem] font-medium">What it can do</legend>
      <ul className="grid gap-3">
        {functions.map((one, index) => {
          const name = textOf(one['name']);
          return (
            <li key={name} className="flex gap-2">
              <div className="min-w-0 grow">
                <TextArea
                  id={`function-${name}`}
                  label={name.replaceAll('_', ' ')}
                  rows={2}
                  value={textOf(one['description'])}
                  readOnly={isReadOnly}
                  onChange={(event) =>
                    onChange(
                      withSpec(details, {
                        functions: withChange(functions, index, {
                          description: event.target.value,
                        }),
                      }),
                    )
                  }
                />
              </div>
              {!isReadOnly && (
                <Button
                  tone="ghost"
                  size="icon"
                  aria-label={`Leave out ${name.replaceAll('_', ' ')}`}
                  disabled={functions.length === 1}
                  onClick={() => onChange(withoutFunction(details, index))}
                >
                  <Trash2 aria-hidden />
                </Button>
              )}
            </li>
          );
        })}
      </ul>
    </fieldset>
  );
}

/** What shall be built: its name, what it keeps, what it can do. */
export function SpecEditor(props: EditorProps) {
  const { details, isReadOnly, onChange } = props;
  const spec = specOf(details);
  if (Object.keys(spec).length === 0) return null;
  return (
    <>
      <TextField
        id="plan-title"
        label="Title"
        value={textOf(spec['title'])}
        readOnly={isReadOnly}
        onChange={(event) => onChange(withSpec(details, { title: event.target.value }))}
      />
      <TextArea
        id="plan-summary"
        label="Summary"
        rows={2}
        value={textOf(spec['summary'])}
        readOnly={isReadOnly}
        onChange={(event) => onChange(withSpec(details, { summary: event.target.value }))}
      />
      <EntityEditor {...props} />
      <FunctionList {...props} />
    </>
  );
}
