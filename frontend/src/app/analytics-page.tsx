import { PageHead } from '@/components/page-head';
import { useMe } from '@/features/accounts/queries';
import { FiguresPanel } from '@/features/analytics/figures';

export function AnalyticsPage() {
  const account = useMe();
  return (
    <div className="mx-auto max-w-5xl px-4 pt-8 pb-16 sm:px-8 sm:pt-10">
      <PageHead title="Analytics">
        How often tasks succeed, how long they take and what they use. Cancelled ones count in no
        rate and no time.
      </PageHead>
      <FiguresPanel isAdmin={account.data?.is_admin === true} />
    </div>
  );
}
