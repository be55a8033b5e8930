import { Upload, X } from 'lucide-react';
import { useRef, useState } from 'react';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { ProgressBar } from '@/components/ui/progress-bar';
import { cn } from '@/lib/cn';
import { formatBytes } from '@/lib/format';
import { type Sending, useUploads } from './use-uploads';

function SendingRow({ sending, onDismiss }: { sending: Sending; onDismiss: () => void }) {
  if (sending.error) {
    return (
      <li className="relative">
        <ErrorNote title={`${sending.name} was not uploaded`} error={sending.error} />
        <Button
          tone="ghost"
          size="icon"
          className="absolute top-2 right-2"
          aria-label={`Dismiss ${sending.name}`}
          onClick={onDismiss}
        >
          <X aria-hidden />
        </Button>
      </li>
    );
  }
  return (
    <li className="grid gap-1.5 rounded-xl border border-line bg-surface px-4 py-3">
      <p className="flex items-center gap-3">
        <span className="min-w-0 grow truncate font-medium">{sending.name}</span>
        <span className="text-[0.87rem] text-ink-faint">{formatBytes(sending.size)}</span>
        <Button size="small" aria-label={`Stop ${sending.name}`} onClick={onDismiss}>
          Stop
        </Button>
      </p>
      <ProgressBar value={sending.share} label={`Upload of ${sending.name}`} />
    </li>
  );
}

/** Files by drop or by choice; each is kept and read on the server. */
export function UploadBox({ projectId }: { projectId: string }) {
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setIsOver] = useState(false);
  const { sendings, add, dismiss } = useUploads(projectId);
  return (
    <div>
      <div
        onDragOver={(event) => {
          event.preventDefault();
          setIsOver(true);
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setIsOver(false);
          add([...event.dataTransfer.files]);
        }}
        className={cn(
          'flex flex-wrap items-center gap-x-5 gap-y-3 rounded-xl border border-dashed border-line-strong px-4 py-4',
          isOver && 'border-accent bg-sunken',
        )}
      >
        <div className="min-w-0 grow basis-64">
          <p className="font-medium">Drop files here</p>
          <p className="text-[0.87rem] text-ink-faint">
            Workbooks, CSV, JSON, PDF, Word, slides, mail, archives, code. They are read in a
            sandbox on this machine.
          </p>
        </div>
        <Button onClick={() => input.current?.click()}>
          <Upload aria-hidden /> Choose files
        </Button>
        <input
          ref={input}
          type="file"
          multiple
          className="sr-only"
          tabIndex={-1}
          aria-label="Files to upload"
          onChange={(event) => {
            add([...(event.target.files ?? [])]);
            event.target.value = '';
          }}
        />
      </div>
      {sendings.length > 0 && (
        <ul className="mt-3 grid gap-2">
          {sendings.map((sending) => (
            <SendingRow key={sending.id} sending={sending} onDismiss={() => dismiss(sending.id)} />
          ))}
        </ul>
      )}
    </div>
  );
}
