import { Link, useParams } from 'react-router';
import type { ProjectInfo } from '@/api/types';
import { PageHead } from '@/components/page-head';
import { ErrorNote } from '@/components/ui/error-note';
import { LoadingNote } from '@/components/ui/spinner';
import { useProject } from '@/features/projects/queries';
import { ProviderSection } from '@/features/providers/provider-section';
import { WebhookSection } from '@/features/webhooks/webhook-section';

function Settings({ project }: { project: ProjectInfo }) {
  const isReadOnly = project.role === 'viewer';
  return (
    <>
      <PageHead title={`Settings of ${project.name}`}>
        For everybody who works in this project.
      </PageHead>
      <div className="grid grid-cols-1 gap-10">
        <ProviderSection
          title="Language-model providers"
          lead="Its members use these models in this project only."
          projectId={project.project_id}
          isAdmin={false}
          isReadOnly={isReadOnly}
        />
        <WebhookSection
          lead="Who is told when something happens in this project."
          projectId={project.project_id}
          isReadOnly={isReadOnly}
        />
      </div>
    </>
  );
}

export function ProjectSettingsPage() {
  const { projectId = '' } = useParams();
  const { data, error, refetch } = useProject(projectId);
  return (
    <div className="mx-auto max-w-4xl px-4 pt-6 pb-16 sm:px-8">
      <p className="mb-4 text-[0.87rem]">
        <Link to={`/projects/${projectId}`} className="text-ink-soft underline">
          The project
        </Link>
      </p>
      {!data && !error && <LoadingNote label="Reading the project" />}
      {error && (
        <ErrorNote
          title="This project cannot be shown"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {data && <Settings key={projectId} project={data} />}
    </div>
  );
}
