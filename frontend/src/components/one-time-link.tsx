import { CopyButton } from '@/components/copy-button';
import { Button } from '@/components/ui/button';

interface OneTimeLinkProps {
  title: string;
  url: string;
  note: string;
  onClose: () => void;
}

/** A link that is shown once, to be handed over. */
export function OneTimeLink({ title, url, note, onClose }: OneTimeLinkProps) {
  return (
    <div
      role="status"
      className="mb-4 grid gap-3 rounded-xl border border-line-strong bg-surface p-4 sm:p-5"
    >
      <p className="font-semibold">{title}</p>
      <div className="flex min-w-0 items-center gap-2 rounded-lg border border-line bg-sunken py-1.5 pr-1.5 pl-3.5">
        <code
          className="min-w-0 grow font-mono text-[0.87rem] break-all"
          data-testid="one-time-link"
        >
          {url}
        </code>
        <CopyButton text={url} label="the link" />
      </div>
      <p className="text-[0.93rem] text-ink-soft">{note}</p>
      <div>
        <Button tone="primary" onClick={onClose}>
          I have handed it over
        </Button>
      </div>
    </div>
  );
}
