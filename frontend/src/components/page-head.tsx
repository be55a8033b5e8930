import type { ReactNode } from 'react';

interface PageHeadProps {
  title: string;
  children: ReactNode;
}

export function PageHead({ title, children }: PageHeadProps) {
  return (
    <header className="mb-7">
      <title>{`${title} · Diono`}</title>
      <h1 className="text-[1.6rem] leading-tight font-semibold tracking-tight">{title}</h1>
      <p className="mt-1.5 max-w-prose text-ink-soft">{children}</p>
    </header>
  );
}

interface SectionHeadProps {
  id: string;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

/** The heading of a section; `id` is what the section is labelled by. */
export function SectionHead({ id, title, children, action }: SectionHeadProps) {
  return (
    <div className="mb-3 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h2 id={id} className="text-[1.13rem] font-semibold tracking-tight">
          {title}
        </h2>
        {children && <p className="mt-0.5 max-w-prose text-[0.93rem] text-ink-soft">{children}</p>}
      </div>
      {action}
    </div>
  );
}
