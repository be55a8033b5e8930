import { LogOut, Monitor, Moon, ShieldCheck, Sun } from 'lucide-react';
import { Link } from 'react-router';
import { Button, buttonClass } from '@/components/ui/button';
import { setTheme, useTheme, type Theme } from '@/lib/theme';
import { useMe, useSignOut } from './queries';

const themes: Record<Theme, { icon: typeof Sun; next: Theme; label: string }> = {
  system: { icon: Monitor, next: 'light', label: 'Theme: as the system. Switch to light' },
  light: { icon: Sun, next: 'dark', label: 'Theme: light. Switch to dark' },
  dark: { icon: Moon, next: 'system', label: 'Theme: dark. Switch to the system’s' },
};

function ThemeButton() {
  const { icon: Icon, next, label } = themes[useTheme()];
  return (
    <Button
      tone="ghost"
      size="icon"
      aria-label={label}
      title={label}
      onClick={() => setTheme(next)}
    >
      <Icon aria-hidden />
    </Button>
  );
}

export function AccountMenu() {
  const signOut = useSignOut();
  const me = useMe();
  return (
    <div className="flex min-w-0 items-center gap-1">
      <Link
        to="/account"
        className="mr-auto min-w-0 truncate rounded-lg px-2 py-1 text-[0.87rem] text-ink-soft hover:bg-sunken hover:text-ink"
      >
        {me.data?.username ?? 'Your account'}
      </Link>
      {me.data?.is_admin && (
        <Link
          to="/admin"
          aria-label="Administration"
          title="Administration"
          className={buttonClass({ tone: 'ghost', size: 'icon' })}
        >
          <ShieldCheck aria-hidden />
        </Link>
      )}
      <ThemeButton />
      <Button
        tone="ghost"
        size="icon"
        aria-label="Sign out"
        title="Sign out"
        onClick={() => signOut.mutate()}
      >
        <LogOut aria-hidden />
      </Button>
    </div>
  );
}
