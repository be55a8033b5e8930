import { Link, useParams, useSearchParams } from 'react-router';
import { DocumentView } from '@/features/documents/document-view';

export function DocumentPage() {
  const { projectId = '', documentId = '' } = useParams();
  const [params] = useSearchParams();
  return (
    <div className="mx-auto max-w-5xl px-4 pt-6 pb-16 sm:px-8">
      <p className="mb-4 text-[0.87rem]">
        <Link to={`/projects/${projectId}/files`} className="text-ink-soft underline">
          Documents and files
        </Link>
      </p>
      <DocumentView
        key={documentId}
        projectId={projectId}
        documentId={documentId}
        at={params.get('at') ?? ''}
      />
    </div>
  );
}
