import { PageHead } from '@/components/page-head';
import { EventSection } from '@/features/accounts/own/event-section';
import { PasswordSection } from '@/features/accounts/own/password-section';
import { ProfileSection } from '@/features/accounts/own/profile-section';
import { SessionSection } from '@/features/accounts/own/session-section';
import { NotificationSection } from '@/features/webhooks/notification-section';

export function AccountPage() {
  return (
    <div className="mx-auto max-w-4xl px-4 pt-8 pb-16 sm:px-8 sm:pt-10">
      <PageHead title="Your account">Who you are here, and where you are signed in.</PageHead>
      <div className="grid grid-cols-1 gap-10">
        <ProfileSection />
        <SessionSection />
        <PasswordSection />
        <NotificationSection />
        <EventSection />
      </div>
    </div>
  );
}
