import { RotateCw } from 'lucide-react';
import { Button } from './button';
import { Note } from './note';

/** What an error offers to its reader; `ApiError` fits. */
interface Explained {
  code: string;
  detail: string;
  requestId: string;
}

function isExplained(error: Error): error is Error & Explained {
  return 'detail' in error && 'code' in error && 'requestId' in error;
}

interface ErrorNoteProps {
  title: string;
  error: Error;
  onRetry?: (() => void) | undefined;
  className?: string;
}

/** Says what happened and the way out; the code and request number are for the log. */
export function ErrorNote({ title, error, onRetry, className }: ErrorNoteProps) {
  const detail = isExplained(error) ? error.detail : error.message;
  const marks = isExplained(error) ? [error.code, error.requestId].filter(Boolean) : [];
  return (
    <Note
      tone="bad"
      title={title}
      {...(className ? { className } : {})}
      action={
        onRetry && (
          <Button size="small" onClick={onRetry}>
            <RotateCw aria-hidden /> Try again
          </Button>
        )
      }
    >
      {detail}
      {marks.length > 0 && (
        <span className="mt-1 block font-mono text-[0.8rem] text-ink-faint">
          {marks.join(' · ')}
        </span>
      )}
    </Note>
  );
}
