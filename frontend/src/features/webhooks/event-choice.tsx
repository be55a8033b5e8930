import type { HookEvent } from '@/api/types';
import { CheckField } from '@/components/ui/field';
import { events } from './hook-data';

interface EventChoiceProps {
  id: string;
  legend: string;
  chosen: readonly HookEvent[];
  isDisabled?: boolean;
  onChange: (chosen: HookEvent[]) => void;
}

export function EventChoice({ id, legend, chosen, isDisabled, onChange }: EventChoiceProps) {
  return (
    <fieldset className="grid gap-2 sm:grid-cols-2">
      <legend className="mb-1.5 text-[0.87rem] font-medium">{legend}</legend>
      {events.map(({ event, label }) => (
        <CheckField
          key={event}
          id={`${id}-${event}`}
          label={label}
          disabled={isDisabled}
          checked={chosen.includes(event)}
          onChange={({ target }) =>
            onChange(target.checked ? [...chosen, event] : chosen.filter((it) => it !== event))
          }
        />
      ))}
    </fieldset>
  );
}
