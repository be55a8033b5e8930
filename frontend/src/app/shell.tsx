import {
  Box,
  ChartColumn,
  Cpu,
  FolderGit2,
  HardDrive,
  KeyRound,
  Menu,
  Play,
  Plug,
  Plus,
  X,
} from 'lucide-react';
import { useState } from 'react';
import { Link, NavLink, Outlet, useLocation, useParams } from 'react-router';
import { Logo } from '@/components/logo';
import { Button, buttonClass } from '@/components/ui/button';
import { AccountMenu } from '@/features/accounts/account-menu';
import { TaskList } from '@/features/tasks/task-list';
import { cn } from '@/lib/cn';
import { useMediaQuery } from '@/lib/use-media-query';

const pages = [
  { path: '/projects', label: 'Projects', icon: FolderGit2 },
  { path: '/run', label: 'Run code', icon: Play },
  { path: '/sandboxes', label: 'Sandboxes', icon: Box },
  { path: '/models', label: 'Models', icon: Cpu },
  { path: '/drives', label: 'Drives', icon: HardDrive },
  { path: '/providers', label: 'Providers', icon: Plug },
  { path: '/analytics', label: 'Analytics', icon: ChartColumn },
  { path: '/keys', label: 'API keys', icon: KeyRound },
];

function PageLinks() {
  return (
    <nav aria-label="Pages" className="mt-3 px-2">
      <ul className="grid gap-0.5">
        {pages.map(({ path, label, icon: Icon }) => (
          <li key={path}>
            <NavLink
              to={path}
              className={({ isActive }) =>
                cn(
                  'flex items-center gap-2.5 rounded-lg px-2.5 py-1.75 text-[0.93rem] transition-colors hover:bg-sunken',
                  isActive && 'bg-sunken font-medium',
                )
              }
            >
              <Icon aria-hidden className="size-4 text-ink-faint" /> {label}
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Sidebar() {
  const { taskId } = useParams();
  return (
    <>
      <Link
        to="/"
        className={buttonClass({ tone: 'secondary' }, 'mx-3 mt-1 justify-start bg-surface')}
      >
        <Plus aria-hidden /> New build
      </Link>
      <PageLinks />
      <nav aria-label="Earlier builds" className="min-h-0 grow overflow-y-auto px-2 py-4">
        <h2 className="mb-1.5 px-2.5 text-[0.8rem] font-medium text-ink-faint">Your builds</h2>
        <TaskList activeTaskId={taskId} />
      </nav>
      <div className="border-t border-line p-2">
        <AccountMenu />
      </div>
    </>
  );
}

/** The frame around every page: a side bar, on a phone behind a button. */
export function Shell() {
  const isWide = useMediaQuery('(min-width: 1024px)');
  const { pathname } = useLocation();
  // Opened at one address, the menu is closed at every other.
  const [openAt, setOpenAt] = useState('');
  const isOpen = openAt === pathname;
  const isSidebarShown = isWide || isOpen;

  return (
    <div className="flex h-dvh flex-col lg:flex-row">
      <a
        href="#main"
        className="sr-only z-50 rounded-lg bg-surface px-3 py-2 focus:not-sr-only focus:absolute focus:m-2"
      >
        Skip to the content
      </a>
      <aside
        aria-label="Builds and account"
        className={cn(
          'flex shrink-0 flex-col lg:w-68 lg:border-r lg:border-line',
          isSidebarShown && 'max-lg:h-dvh',
        )}
      >
        <div className="flex items-center justify-between border-line px-4 py-2.5 max-lg:border-b lg:px-5 lg:py-4">
          <Link to="/" aria-label="Diono, start page" className="rounded-lg">
            <Logo />
          </Link>
          {!isWide && (
            <Button
              tone="ghost"
              size="icon"
              aria-expanded={isOpen}
              aria-label={isOpen ? 'Close the menu' : 'Open the menu'}
              onClick={() => setOpenAt(isOpen ? '' : pathname)}
            >
              {isOpen ? <X aria-hidden /> : <Menu aria-hidden />}
            </Button>
          )}
        </div>
        {isSidebarShown && (
          <div className="flex min-h-0 grow flex-col max-lg:pt-3">
            <Sidebar />
          </div>
        )}
      </aside>
      {(isWide || !isOpen) && (
        <main id="main" tabIndex={-1} className="min-h-0 min-w-0 grow overflow-y-auto outline-none">
          <Outlet />
        </main>
      )}
    </div>
  );
}
