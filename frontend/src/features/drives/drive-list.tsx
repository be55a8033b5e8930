import { useState } from 'react';
import { toast } from 'sonner';
import type { DriveLink, DriveProvider } from '@/api/types';
import { SectionHead } from '@/components/page-head';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { LoadingNote } from '@/components/ui/spinner';
import { ConnectForm } from './connect-form';
import { LinkList } from './link-list';
import { useDrives } from './queries';

interface OfferProps {
  provider: DriveProvider;
  isOpen: boolean;
  onOpen: () => void;
  onClose: () => void;
}

function Offer({ provider, isOpen, onOpen, onClose }: OfferProps) {
  const isReady = !provider.needs_client || provider.has_client;
  const linked = (link: DriveLink) => {
    toast.success(`${link.title || provider.title} is linked`);
    onClose();
  };
  return (
    <li className="grid gap-4 px-4 py-3" data-testid="drive-provider">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <p className="flex min-w-0 grow flex-wrap items-center gap-2 font-medium">
          {provider.title}
          {!isReady && <Badge tone="calm">not set up</Badge>}
        </p>
        {isReady && !isOpen && (
          <Button size="small" aria-label={`Connect ${provider.title}`} onClick={onOpen}>
            Connect
          </Button>
        )}
      </div>
      {!isReady && (
        <p className="text-[0.93rem] text-ink-soft">
          An admin has to register Diono at {provider.title} first, on the page Administration.
        </p>
      )}
      {isReady && isOpen && (
        <ConnectForm provider={provider} onLinked={linked} onCancel={onClose} />
      )}
    </li>
  );
}

/** One's drives, and the providers of more. */
export function DriveList() {
  const { data, error, refetch } = useDrives();
  const [open, setOpen] = useState('');
  return (
    <div className="grid grid-cols-1 gap-10">
      {!data && !error && <LoadingNote label="Reading your drives" />}
      {error && (
        <ErrorNote
          title="Could not read your drives"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {data && (
        <>
          <section aria-labelledby="links">
            <SectionHead id="links" title="Linked">
              Yours alone, in shared projects too.
            </SectionHead>
            <LinkList links={data.links} providers={data.providers} onReconnect={setOpen} />
          </section>
          <section aria-labelledby="offers">
            <SectionHead id="offers" title="Link another" />
            <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
              {data.providers.map((provider) => (
                <Offer
                  key={provider.name}
                  provider={provider}
                  isOpen={open === provider.name}
                  onOpen={() => setOpen(provider.name)}
                  onClose={() => setOpen('')}
                />
              ))}
            </ul>
          </section>
        </>
      )}
    </div>
  );
}
