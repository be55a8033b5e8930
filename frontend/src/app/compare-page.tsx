import { useParams } from 'react-router';
import { PageHead } from '@/components/page-head';
import { ComparisonView } from '@/features/analytics/comparison-view';

export function ComparePage() {
  const { taskId = '', otherId = '' } = useParams();
  return (
    <div className="mx-auto max-w-5xl px-4 pt-8 pb-16 sm:px-8 sm:pt-10">
      <PageHead title="Side by side">Two tasks, their figures, checks and files.</PageHead>
      <ComparisonView taskId={taskId} otherId={otherId} />
    </div>
  );
}
