import { Link, useParams } from 'react-router';
import { PageHead, SectionHead } from '@/components/page-head';
import { AskBox } from '@/features/documents/ask-box';
import { DocumentList } from '@/features/documents/document-list';
import { useFollowDocuments } from '@/features/documents/queries';
import { SearchBox } from '@/features/documents/search-box';
import { UploadBox } from '@/features/documents/upload-box';
import { TransferPanel } from '@/features/drives/transfer-panel';
import { ExchangePanel } from '@/features/library/exchange-panel';
import { LibraryList } from '@/features/library/library-list';
import { useProject } from '@/features/projects/queries';

function Files({ projectId }: { projectId: string }) {
  useFollowDocuments(projectId);
  const project = useProject(projectId);
  return (
    <div className="grid grid-cols-1 gap-10">
      <section aria-labelledby="ask">
        <SectionHead id="ask" title="Ask the tables">
          Answered by a query that runs in a sandbox; it is shown with the answer.
        </SectionHead>
        <AskBox projectId={projectId} />
      </section>
      <section aria-labelledby="documents">
        <SectionHead id="documents" title="Documents" />
        <div className="grid gap-4">
          <UploadBox projectId={projectId} />
          <SearchBox projectId={projectId} />
          <DocumentList projectId={projectId} />
        </div>
      </section>
      <section aria-labelledby="library">
        <SectionHead id="library" title="Library">
          Every file that is kept for this project.
        </SectionHead>
        <LibraryList projectId={projectId} />
      </section>
      <section aria-labelledby="drives">
        <SectionHead id="drives" title="From a drive">
          Bring files of your cloud drives, follow a folder, or put a stored file there.
        </SectionHead>
        <TransferPanel projectId={projectId} isReadOnly={project.data?.role === 'viewer'} />
      </section>
      <section aria-labelledby="exchange">
        <SectionHead id="exchange" title="In and out" />
        <ExchangePanel projectId={projectId} />
      </section>
    </div>
  );
}

export function ProjectFilesPage() {
  const { projectId = '' } = useParams();
  return (
    <div className="mx-auto max-w-5xl px-4 pt-6 pb-16 sm:px-8">
      <p className="mb-4 text-[0.87rem]">
        <Link to={`/projects/${projectId}`} className="text-ink-soft underline">
          The project
        </Link>
      </p>
      <PageHead title="Documents and files">
        Your own data, read on this machine: searched, asked, and at hand for the agent.
      </PageHead>
      <Files key={projectId} projectId={projectId} />
    </div>
  );
}
