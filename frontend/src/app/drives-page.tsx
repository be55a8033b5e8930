import { useSearchParams } from 'react-router';
import { PageHead } from '@/components/page-head';
import { Button } from '@/components/ui/button';
import { Note } from '@/components/ui/note';
import { returnReason } from '@/features/drives/drive-data';
import { DriveList } from '@/features/drives/drive-list';

/** What the provider's page led to; the server sends the browser here. */
function ReturnNote() {
  const [params, setParams] = useSearchParams();
  const problem = params.get('drive_error');
  const isLinked = params.has('linked');
  if (!problem && !isLinked) return null;
  return (
    <Note
      className="mb-7"
      tone={problem ? 'bad' : 'calm'}
      title={problem ? 'The drive was not linked' : 'The drive is linked'}
      action={
        <Button size="small" onClick={() => setParams({}, { replace: true })}>
          All right
        </Button>
      }
    >
      {problem ? returnReason(problem) : 'Bring its files into a project on that project’s page.'}
      {problem && (
        <span className="mt-1 block font-mono text-[0.8rem] text-ink-faint">{problem}</span>
      )}
    </Note>
  );
}

export function DrivesPage() {
  return (
    <div className="mx-auto max-w-4xl px-4 pt-8 pb-16 sm:px-8 sm:pt-10">
      <PageHead title="Drives">
        Your cloud drives: bring files into a project, follow a folder, put results back.
      </PageHead>
      <ReturnNote />
      <DriveList />
    </div>
  );
}
