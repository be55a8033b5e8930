import { PageHead } from '@/components/page-head';
import { Note } from '@/components/ui/note';
import { useMe } from '@/features/accounts/queries';
import { AuditSection } from '@/features/administration/audit-section';
import { InvitationSection } from '@/features/administration/invitation-section';
import { RegistrationSection } from '@/features/administration/registration-section';
import { UserSection } from '@/features/administration/user-section';
import { ClientSection } from '@/features/drives/client-section';
import { WebhookSection } from '@/features/webhooks/webhook-section';

export function AdminPage() {
  const { data } = useMe();
  return (
    <div className="mx-auto max-w-5xl px-4 pt-8 pb-16 sm:px-8 sm:pt-10">
      <PageHead title="Administration">
        Who may work here, and what happened. Only admins see this page.
      </PageHead>
      {data && !data.is_admin && (
        <Note tone="warn" title="This page is for admins">
          Your role is {data.role}. Ask an admin for what you need.
        </Note>
      )}
      {data?.is_admin && (
        <div className="grid grid-cols-1 gap-10">
          <UserSection ownId={data.user_id} />
          <RegistrationSection />
          <InvitationSection />
          <ClientSection />
          <WebhookSection lead="Who is told what happens in all projects." projectId={null} />
          <AuditSection />
        </div>
      )}
    </div>
  );
}
