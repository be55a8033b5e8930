import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { ChangeUser, UserInfo } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { InlineSelect } from '@/components/ui/field';
import { useChangeUser, useEndUserSessions } from './queries';
import { roleChoices, roleOf } from './roles';

interface UserRowProps {
  user: UserInfo;
  isSelf: boolean;
  onLink: () => void;
}

export function UserRow({ user, isSelf, onLink }: UserRowProps) {
  const change = useChangeUser();
  const endSessions = useEndUserSessions();
  const failed = (error: Error) =>
    void toast.error(`${user.username} stays as before`, { description: toApiError(error).detail });
  const set = (wanted: ChangeUser) =>
    change.mutate({ userId: user.user_id, wanted }, { onError: failed });
  return (
    <li data-testid="user" className="flex flex-wrap items-center gap-x-4 gap-y-2.5 px-4 py-3">
      <div className="min-w-0 grow basis-48">
        <p className="flex flex-wrap items-center gap-2">
          <span className="min-w-0 font-medium break-words">{user.username}</span>
          {isSelf && <Badge tone="accent">You</Badge>}
          {!user.is_active && <Badge tone="warn">Switched off</Badge>}
        </p>
        {user.email && <p className="text-[0.87rem] break-words text-ink-faint">{user.email}</p>}
      </div>
      <InlineSelect
        id={`role-${user.user_id}`}
        label="Role"
        aria-label={`Role of ${user.username}`}
        disabled={change.isPending}
        value={user.role}
        onChange={(event) => set({ role: roleOf(event.target.value) })}
      >
        {roleChoices.map(({ role, label }) => (
          <option key={role} value={role}>
            {label}
          </option>
        ))}
      </InlineSelect>
      <div className="flex flex-wrap gap-2">
        <Button size="small" onClick={onLink} aria-label={`Password link for ${user.username}`}>
          Password link
        </Button>
        <Button
          size="small"
          isBusy={endSessions.isPending}
          aria-label={`Sign out ${user.username}`}
          onClick={() =>
            endSessions.mutate(user.user_id, {
              onError: failed,
              onSuccess: () => void toast.success(`${user.username} is signed out everywhere`),
            })
          }
        >
          Sign out
        </Button>
        {user.is_active ? (
          <ConfirmDialog
            title={`Switch ${user.username} off?`}
            confirmLabel="Switch off"
            dismissLabel="Leave it on"
            onConfirm={() => set({ is_active: false })}
            trigger={
              <Button size="small" tone="danger" aria-label={`Switch off ${user.username}`}>
                Switch off
              </Button>
            }
          >
            Sessions and keys end at once. Projects and files stay, and it can be switched on again.
          </ConfirmDialog>
        ) : (
          <Button
            size="small"
            aria-label={`Switch on ${user.username}`}
            onClick={() => set({ is_active: true })}
          >
            Switch on
          </Button>
        )}
      </div>
    </li>
  );
}
