import { FolderGit2, Plus } from 'lucide-react';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { toApiError } from '@/api/errors';
import type { ProjectInfo } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatAgo } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { useCreateProject, useProjects } from './queries';

const NAME_LENGTH = 80;

function NewProjectForm() {
  const [name, setName] = useState('');
  const create = useCreateProject();
  const navigate = useNavigate();
  return (
    <form
      className="mb-5 grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate(name.trim(), {
          onSuccess: (project) => void navigate(`/projects/${project.project_id}`),
        });
      }}
    >
      <div className="flex flex-wrap gap-2">
        <input
          aria-label="Name of the new project"
          placeholder="Weather station"
          maxLength={NAME_LENGTH}
          className="h-9.5 min-w-0 grow rounded-lg border border-line-strong bg-surface px-3 placeholder:text-ink-faint"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" isBusy={create.isPending} disabled={!name.trim()}>
          {!create.isPending && <Plus aria-hidden />} New empty project
        </Button>
      </div>
      {create.error && (
        <ErrorNote title="The project was not made" error={toApiError(create.error)} />
      )}
    </form>
  );
}

function ProjectRow({ project, now }: { project: ProjectInfo; now: number }) {
  return (
    <li>
      <Link
        to={`/projects/${project.project_id}`}
        className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-3 transition-colors hover:bg-sunken"
      >
        <span className="min-w-0 font-medium break-words">{project.name}</span>
        {project.running_task_id && <Badge tone="accent">Working</Badge>}
        {project.status !== 'active' && <Badge tone="warn">{project.status}</Badge>}
        {project.sandbox === 'running' && <Badge tone="good">Sandbox runs</Badge>}
        {project.forked_from && <Badge tone="calm">Copy</Badge>}
        <span className="ml-auto text-[0.87rem] text-ink-faint">
          {formatAgo(project.updated_at ?? project.created_at, now)}
        </span>
      </Link>
    </li>
  );
}

export function ProjectList() {
  const list = useProjects();
  const now = useNow(30_000);
  if (list.isPending) return <LoadingNote label="Reading your projects" />;
  if (!list.data) {
    return (
      <ErrorNote
        title="Could not read your projects"
        error={list.error}
        onRetry={() => void list.refetch()}
      />
    );
  }
  const projects = list.data.pages.flatMap((page) => page.items);
  return (
    <>
      <NewProjectForm />
      {projects.length === 0 ? (
        <div className="rounded-xl border border-line bg-surface">
          <EmptyState icon={<FolderGit2 />} title="No projects yet">
            Each build makes one; an empty one is for working with the agent from the start.
          </EmptyState>
        </div>
      ) : (
        <ul className="divide-y divide-line overflow-hidden rounded-xl border border-line bg-surface">
          {projects.map((project) => (
            <ProjectRow key={project.project_id} project={project} now={now} />
          ))}
        </ul>
      )}
      {list.hasNextPage && (
        <Button
          tone="ghost"
          className="mt-2"
          isBusy={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          Show older
        </Button>
      )}
    </>
  );
}
