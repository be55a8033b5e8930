import { ExternalLink, RotateCw, ScrollText, Server, Square } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { ServiceStatus } from '@/api/types';
import { Badge, type Tone } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { useOpenPreview, useRestartService, useServices, useStopService } from './queries';
import { ServiceLog } from './service-log';

function stateOf(service: ServiceStatus): { tone: Tone; words: string } {
  if (service.is_running && service.is_healthy) return { tone: 'good', words: 'Running' };
  if (service.is_running) return { tone: 'warn', words: 'Not answering yet' };
  const code = service.exit_code ?? null;
  if (code === null || code === 0) return { tone: 'calm', words: 'Ended' };
  return { tone: 'bad', words: `Ended with exit code ${code}` };
}

function showProblem(title: string) {
  return (error: unknown) =>
    void toast.error(title, { description: toApiError(error).detail, duration: 12_000 });
}

/** Opens its tab within the click, or the browser would take it for an advertisement. */
function useNewTab(projectId: string) {
  const preview = useOpenPreview(projectId);
  const open = (name: string) => {
    const tab = window.open('about:blank', '_blank');
    if (tab) tab.opener = null;
    preview.mutate(name, {
      onSuccess: ({ url }) => {
        if (tab) tab.location.replace(url);
        else toast.error('The browser did not allow a new tab. Allow it for this page.');
      },
      onError: (error) => {
        tab?.close();
        showProblem('The preview did not open')(error);
      },
    });
  };
  return { open, isPending: preview.isPending };
}

function ServiceRow({ projectId, service }: { projectId: string; service: ServiceStatus }) {
  const [isLogShown, setIsLogShown] = useState(false);
  const [restarts, setRestarts] = useState(0);
  const preview = useNewTab(projectId);
  const restart = useRestartService(projectId);
  const stop = useStopService(projectId);
  const { name } = service;
  const { tone, words } = stateOf(service);
  const facts = [
    service.port ? `port ${service.port}` : 'no port',
    service.restarts ? `restarted ${service.restarts} times by itself` : '',
  ].filter(Boolean);
  return (
    <li data-testid="service">
      <div className="flex flex-wrap items-center gap-x-5 gap-y-2.5 px-4 py-3.5">
        <div className="min-w-0 grow basis-48">
          <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <span className="font-medium">{name}</span>
            <Badge tone={tone}>{words}</Badge>
          </p>
          <p className="mt-1 text-[0.87rem] text-ink-faint">{facts.join(' · ')}</p>
        </div>
        <div className="flex flex-wrap gap-1.5">
          {service.port !== null && service.is_running && (
            <Button
              size="small"
              isBusy={preview.isPending}
              aria-label={`Open ${name} in a new tab`}
              onClick={() => preview.open(name)}
            >
              <ExternalLink aria-hidden /> Open
            </Button>
          )}
          <Button
            size="small"
            aria-label={`Log of ${name}`}
            aria-expanded={isLogShown}
            onClick={() => setIsLogShown(!isLogShown)}
          >
            <ScrollText aria-hidden /> Log
          </Button>
          <Button
            size="small"
            isBusy={restart.isPending}
            aria-label={`Restart ${name}`}
            onClick={() =>
              restart.mutate(name, {
                onSuccess: () => setRestarts(restarts + 1),
                onError: showProblem('The service was not restarted'),
              })
            }
          >
            {!restart.isPending && <RotateCw aria-hidden />} Restart
          </Button>
          <Button
            tone="danger"
            size="small"
            isBusy={stop.isPending}
            aria-label={`Stop ${name}`}
            onClick={() =>
              stop.mutate(name, { onError: showProblem('The service was not stopped') })
            }
          >
            {!stop.isPending && <Square aria-hidden />} Stop
          </Button>
        </div>
      </div>
      {isLogShown && <ServiceLog key={restarts} projectId={projectId} name={name} />}
    </li>
  );
}

export function ServiceList({ projectId }: { projectId: string }) {
  const { data, error, isPending, refetch } = useServices(projectId);
  if (isPending) return <LoadingNote label="Reading the services" />;
  if (error && !data) {
    return (
      <ErrorNote title="Could not read the services" error={error} onRetry={() => void refetch()} />
    );
  }
  return (
    <>
      {error && <ErrorNote className="mb-3" title="This may be out of date" error={error} />}
      <div className="rounded-xl border border-line bg-surface">
        {data.services.length === 0 ? (
          <EmptyState icon={<Server />} title="Nothing is running">
            Run the project, and its program appears here with its log.
          </EmptyState>
        ) : (
          <ul className="divide-y divide-line">
            {data.services.map((service) => (
              <ServiceRow key={service.name} projectId={projectId} service={service} />
            ))}
          </ul>
        )}
      </div>
    </>
  );
}
