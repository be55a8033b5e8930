import { LogOut, Monitor, Moon, Sun } from 'lucide-react';
import { Button } from '@/components/ui/button';
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
      <span className="mr-auto min-w-0 truncate px-2 text-[0.87rem] text-ink-soft">
        {me.data?.username ?? ''}
      </span>
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
