import type { ReactNode } from 'react';
import { Logo } from '@/components/logo';

interface AuthFrameProps {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
}

/** The frame of every page that needs no session. */
export function AuthFrame({ title, lead, children }: AuthFrameProps) {
  return (
    <main className="flex min-h-dvh items-start justify-center px-4 pt-[max(3rem,14vh)] pb-12">
      <div className="w-full max-w-sm">
        <title>{`${title} · Diono`}</title>
        <Logo />
        <h1 className="mt-7 text-[1.6rem] font-semibold tracking-tight">{title}</h1>
        {lead && <p className="mt-1.5 text-ink-soft">{lead}</p>}
        {children}
      </div>
    </main>
  );
}

export const authFormClass = 'mt-7 grid gap-4';
export const authLinkClass = 'text-ink underline decoration-line-strong hover:decoration-ink';
