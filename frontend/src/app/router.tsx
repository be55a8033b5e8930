import { CircleHelp } from 'lucide-react';
import { createBrowserRouter, Link, useRouteError } from 'react-router';
import { toApiError } from '@/api/errors';
import { useSession } from '@/api/session';
import { buttonClass } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { SignInPage } from '@/features/accounts/sign-in-page';
import { ComposePage } from './compose-page';
import { Shell } from './shell';

/** The address stays as it is, so after signing in the reader is where they meant to be. */
function SignedIn() {
  return useSession() ? <Shell /> : <SignInPage />;
}

function NotFoundPage() {
  return (
    <EmptyState
      icon={<CircleHelp />}
      title="There is no page at this address"
      action={
        <Link to="/" className={buttonClass({})}>
          New build
        </Link>
      }
    />
  );
}

function BrokenPage() {
  return (
    <main className="mx-auto max-w-xl p-6 pt-24">
      <ErrorNote
        title="This page broke"
        error={toApiError(useRouteError())}
        onRetry={() => window.location.reload()}
      />
    </main>
  );
}

export function createRouter() {
  return createBrowserRouter([
    {
      errorElement: <BrokenPage />,
      hydrateFallbackElement: <LoadingNote label="Loading" className="pt-24" />,
      children: [
        {
          path: '/join',
          lazy: async () => ({
            Component: (await import('@/features/accounts/join-page')).JoinPage,
          }),
        },
        {
          path: '/recover',
          lazy: async () => ({
            Component: (await import('@/features/accounts/recover-page')).RecoverPage,
          }),
        },
        {
          path: '/verify-email',
          lazy: async () => ({
            Component: (await import('@/features/accounts/verify-email-page')).VerifyEmailPage,
          }),
        },
        {
          path: '/sign-in/oidc',
          lazy: async () => ({
            Component: (await import('@/features/accounts/outside-page')).OutsidePage,
          }),
        },
      ],
    },
    {
      element: <SignedIn />,
      errorElement: <BrokenPage />,
      hydrateFallbackElement: <LoadingNote label="Loading" className="pt-24" />,
      children: [
        { path: '/', element: <ComposePage /> },
        {
          path: '/tasks/:taskId',
          lazy: async () => ({ Component: (await import('./task-page')).TaskPage }),
        },
        {
          path: '/run',
          lazy: async () => ({ Component: (await import('./run-page')).RunPage }),
        },
        {
          path: '/sandboxes',
          lazy: async () => ({ Component: (await import('./sandboxes-page')).SandboxesPage }),
        },
        {
          path: '/projects',
          lazy: async () => ({ Component: (await import('./projects-page')).ProjectsPage }),
        },
        {
          path: '/projects/:projectId',
          lazy: async () => ({ Component: (await import('./project-page')).ProjectPage }),
        },
        {
          path: '/projects/:projectId/files',
          lazy: async () => ({
            Component: (await import('./project-files-page')).ProjectFilesPage,
          }),
        },
        {
          path: '/projects/:projectId/settings',
          lazy: async () => ({
            Component: (await import('./project-settings-page')).ProjectSettingsPage,
          }),
        },
        {
          path: '/providers',
          lazy: async () => ({ Component: (await import('./providers-page')).ProvidersPage }),
        },
        {
          path: '/drives',
          lazy: async () => ({ Component: (await import('./drives-page')).DrivesPage }),
        },
        {
          path: '/projects/:projectId/documents/:documentId',
          lazy: async () => ({ Component: (await import('./document-page')).DocumentPage }),
        },
        {
          path: '/tasks/:taskId/replay',
          lazy: async () => ({ Component: (await import('./replay-page')).ReplayPage }),
        },
        {
          path: '/tasks/:taskId/compare/:otherId',
          lazy: async () => ({ Component: (await import('./compare-page')).ComparePage }),
        },
        {
          path: '/models',
          lazy: async () => ({ Component: (await import('./models-page')).ModelsPage }),
        },
        {
          path: '/analytics',
          lazy: async () => ({ Component: (await import('./analytics-page')).AnalyticsPage }),
        },
        {
          path: '/account',
          lazy: async () => ({ Component: (await import('./account-page')).AccountPage }),
        },
        {
          path: '/admin',
          lazy: async () => ({ Component: (await import('./admin-page')).AdminPage }),
        },
        {
          path: '/keys',
          lazy: async () => ({ Component: (await import('./keys-page')).KeysPage }),
        },
        { path: '*', element: <NotFoundPage /> },
      ],
    },
  ]);
}
