import { CopyButton } from './copy-button';

interface Block {
  id: string;
  isCode: boolean;
  text: string;
}

/** Splits a model's words at its code fences; an open fence is code to the end. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = [];
  let isCode = false;
  const flush = () => {
    const joined = isCode ? lines.join('\n') : lines.join('\n').trim();
    if (joined) blocks.push({ id: `${blocks.length}`, isCode, text: joined });
    lines = [];
  };
  for (const line of text.split('\n')) {
    if (/^\s*(```|~~~)/.test(line)) {
      flush();
      isCode = !isCode;
    } else {
      lines.push(line);
    }
  }
  flush();
  return blocks;
}

/** What a model says: text as it is, never markup; code in boxes. */
export function RichText({ text }: { text: string }) {
  return (
    <div className="grid min-w-0 grid-cols-1 gap-2.5">
      {blocksOf(text).map((block) =>
        block.isCode ? (
          <div key={block.id} className="relative min-w-0 rounded-lg bg-sunken">
            <pre
              tabIndex={0}
              aria-label="Code"
              className="max-h-96 overflow-auto p-3 pr-24 font-mono text-[0.84rem] leading-relaxed"
            >
              {block.text}
            </pre>
            <span className="absolute top-1.5 right-1.5">
              <CopyButton text={block.text} label="the code" />
            </span>
          </div>
        ) : (
          <p key={block.id} className="min-w-0 leading-relaxed break-words whitespace-pre-wrap">
            {block.text}
          </p>
        ),
      )}
    </div>
  );
}
