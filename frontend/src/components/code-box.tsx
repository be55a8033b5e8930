import { CopyButton } from './copy-button';

interface CodeBoxProps {
  title: string;
  text: string;
  testId?: string;
}

/** Text to take elsewhere, with a button that copies all of it. */
export function CodeBox({ title, text, testId }: CodeBoxProps) {
  return (
    <figure className="overflow-hidden rounded-xl border border-line bg-surface">
      <figcaption className="flex h-11 items-center justify-between gap-3 border-b border-line bg-sunken pr-1.5 pl-4 text-[0.87rem] font-medium">
        {title}
        <CopyButton text={text} label={title} />
      </figcaption>
      <div
        role="group"
        aria-label={title}
        // Focusable, so that a keyboard can scroll it.
        tabIndex={0}
        className="overflow-x-auto px-4 py-3 outline-offset-[-2px]"
      >
        <pre data-testid={testId} className="font-mono text-[0.84rem] leading-relaxed">
          {text}
        </pre>
      </div>
    </figure>
  );
}
