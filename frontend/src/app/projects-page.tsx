import { PageHead } from '@/components/page-head';
import { ProjectList } from '@/features/projects/project-list';

export function ProjectsPage() {
  return (
    <div className="mx-auto max-w-4xl px-4 pt-8 pb-16 sm:px-8 sm:pt-10">
      <PageHead title="Projects">
        One workspace, one conversation, one history each. Open one to talk with its agent or to
        change what was built.
      </PageHead>
      <ProjectList />
    </div>
  );
}
