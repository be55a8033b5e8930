import { useState } from 'react';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import type { ProjectInfo } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { buttonClass } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { LoadingNote } from '@/components/ui/spinner';
import { Tab, TabList, TabPanel, Tabs } from '@/components/ui/tabs';
import { ChatPanel } from '@/features/chat/chat-panel';
import { StatePanel } from '@/features/chat/state-panel';
import { HistoryPanel } from '@/features/checkpoints/history-panel';
import { MemberPanel } from '@/features/members/member-panel';
import { ModelPicker } from '@/features/models/model-picker';
import { useProject } from '@/features/projects/queries';
import { ProjectPanel } from '@/features/services/project-panel';
import { useMediaQuery } from '@/lib/use-media-query';

const tabNames = ['chat', 'state', 'history', 'run', 'people'] as const;

function Head({ project }: { project: ProjectInfo }) {
  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-surface px-4 py-3.5 sm:px-6">
      <h1 className="min-w-0 text-[1.13rem] leading-snug font-semibold tracking-tight break-words">
        {project.name}
      </h1>
      {project.status !== 'active' && <Badge tone="warn">{project.status}</Badge>}
      {project.blueprint && <Badge tone="calm">{project.blueprint}</Badge>}
      {project.forked_from && (
        <Link
          to={`/projects/${project.forked_from}`}
          className="text-[0.87rem] text-ink-faint underline hover:text-ink"
        >
          a copy
        </Link>
      )}
      <Link
        to={`/projects/${project.project_id}/files`}
        className={buttonClass({ size: 'small' }, 'ml-auto')}
      >
        Documents and files
      </Link>
      <Link
        to={`/projects/${project.project_id}/settings`}
        className={buttonClass({ size: 'small' })}
      >
        Settings
      </Link>
    </header>
  );
}

function ProjectScreen({ project }: { project: ProjectInfo }) {
  const isWide = useMediaQuery('(min-width: 1024px)');
  const [params, setParams] = useSearchParams();
  const [model, setModel] = useState<string | null>(null);
  const navigate = useNavigate();
  const projectId = project.project_id;
  const wanted = tabNames.find((name) => name === params.get('tab'));
  const fallback = isWide ? 'state' : 'chat';
  const tab = wanted && !(isWide && wanted === 'chat') ? wanted : fallback;
  const chat = (
    <ChatPanel
      projectId={projectId}
      model={model}
      modelPicker={<ModelPicker value={model} onChange={setModel} />}
    />
  );
  return (
    <div className="flex h-full min-h-0 flex-col">
      <title>{`${project.name} · Diono`}</title>
      <Head project={project} />
      <div className="flex min-h-0 grow">
        {isWide && <div className="min-w-0 grow">{chat}</div>}
        <Tabs
          value={tab}
          onValueChange={(value) => setParams({ tab: value }, { replace: true })}
          className="min-w-0 grow lg:w-[25rem] lg:max-w-[40%] lg:shrink-0 lg:grow-0 lg:border-l lg:border-line 2xl:w-[30rem]"
        >
          <TabList aria-label="Parts of this project">
            {!isWide && <Tab value="chat">Chat</Tab>}
            <Tab value="state">State</Tab>
            <Tab value="history">History</Tab>
            <Tab value="run">Run</Tab>
            <Tab value="people">People</Tab>
          </TabList>
          {!isWide && (
            <TabPanel value="chat" forceMount className="overflow-hidden">
              {chat}
            </TabPanel>
          )}
          <TabPanel value="state" className="overflow-y-auto">
            <StatePanel projectId={projectId} />
          </TabPanel>
          <TabPanel value="history" className="overflow-y-auto">
            <HistoryPanel
              projectId={projectId}
              onForked={(forked) => void navigate(`/projects/${forked}`)}
            />
          </TabPanel>
          <TabPanel value="run" className="overflow-y-auto">
            <ProjectPanel projectId={projectId} />
          </TabPanel>
          <TabPanel value="people" className="overflow-y-auto">
            <MemberPanel project={project} onLeft={() => void navigate('/projects')} />
          </TabPanel>
        </Tabs>
      </div>
    </div>
  );
}

function LoadedProject({ projectId }: { projectId: string }) {
  const { data, error, refetch } = useProject(projectId);
  if (data) return <ProjectScreen project={data} />;
  if (!error) return <LoadingNote label="Reading the project" className="pt-24" />;
  return (
    <div className="mx-auto max-w-xl p-6 pt-16">
      <ErrorNote
        title="This project cannot be shown"
        error={error}
        onRetry={() => void refetch()}
      />
      <Link to="/projects" className={buttonClass({}, 'mt-4')}>
        Your projects
      </Link>
    </div>
  );
}

export function ProjectPage() {
  const { projectId = '' } = useParams();
  return <LoadedProject key={projectId} projectId={projectId} />;
}
