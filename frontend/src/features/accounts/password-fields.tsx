import { useState } from 'react';
import { TextField } from '@/components/ui/field';

const LEAST_LENGTH = 10;

interface PasswordFieldsProps {
  label?: string;
  /** Gets the password once both are equal and long enough, else an empty text. */
  onChange: (password: string) => void;
}

/** A new password, typed twice. */
export function PasswordFields({ label = 'Password', onChange }: PasswordFieldsProps) {
  const [first, setFirst] = useState('');
  const [second, setSecond] = useState('');
  const set = (one: string, other: string) => {
    setFirst(one);
    setSecond(other);
    onChange(one === other && one.length >= LEAST_LENGTH ? one : '');
  };
  const isDifferent = second !== '' && first !== second;
  return (
    <>
      <TextField
        id="new-password"
        label={label}
        hint={`At least ${LEAST_LENGTH} characters; a few words are easiest to keep.`}
        type="password"
        autoComplete="new-password"
        required
        minLength={LEAST_LENGTH}
        value={first}
        onChange={(event) => set(event.target.value, second)}
      />
      <TextField
        id="new-password-again"
        label="Once more"
        hint={isDifferent ? 'The two are not the same yet.' : undefined}
        type="password"
        autoComplete="new-password"
        required
        aria-invalid={isDifferent || undefined}
        value={second}
        onChange={(event) => set(first, event.target.value)}
      />
    </>
  );
}
