import { Link, useParams } from 'react-router';
import { PageHead } from '@/components/page-head';
import { ReplayView } from '@/features/analytics/replay-view';

export function ReplayPage() {
  const { taskId = '' } = useParams();
  return (
    <div className="mx-auto max-w-4xl px-4 pt-8 pb-16 sm:px-8 sm:pt-10">
      <PageHead title="Replay">
        Step by step, with files and checks as they were.{' '}
        <Link className="text-accent underline" to={`/tasks/${taskId}`}>
          Back to the task
        </Link>
      </PageHead>
      <ReplayView key={taskId} taskId={taskId} />
    </div>
  );
}
