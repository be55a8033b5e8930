import { useState } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { AddMember, MemberInfo, ProjectInfo } from '@/api/types';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ConfirmDialog } from '@/components/ui/confirm-dialog';
import { ErrorNote } from '@/components/ui/error-note';
import { InlineSelect, SelectField, TextField } from '@/components/ui/field';
import { LoadingNote } from '@/components/ui/spinner';
import {
  useAddMember,
  useChangeMember,
  useLeaveProject,
  useMembers,
  useRemoveMember,
} from './queries';

type GivenRole = NonNullable<AddMember['role']>;

const roles: { role: GivenRole; label: string }[] = [
  { role: 'viewer', label: 'Viewer: reads' },
  { role: 'editor', label: 'Editor: works' },
];

function givenRole(text: string): GivenRole {
  return roles.find(({ role }) => role === text)?.role ?? 'viewer';
}

function AddForm({ projectId }: { projectId: string }) {
  const add = useAddMember(projectId);
  const [user, setUser] = useState('');
  const [role, setRole] = useState<GivenRole>('editor');
  return (
    <form
      aria-label="Share this project"
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate({ user: user.trim(), role }, { onSuccess: () => setUser('') });
      }}
    >
      {add.error && <ErrorNote title="Not shared" error={toApiError(add.error)} />}
      <TextField
        id="member-user"
        label="Share with"
        placeholder="User name or e-mail address"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={254}
        value={user}
        onChange={(event) => setUser(event.target.value)}
      />
      <div className="grid grid-cols-[1fr_auto] items-end gap-2">
        <SelectField
          id="member-role"
          label="As"
          value={role}
          onChange={(event) => setRole(givenRole(event.target.value))}
        >
          {roles.map((choice) => (
            <option key={choice.role} value={choice.role}>
              {choice.label}
            </option>
          ))}
        </SelectField>
        <Button type="submit" className="h-10" isBusy={add.isPending} disabled={!user.trim()}>
          Share
        </Button>
      </div>
    </form>
  );
}

interface MemberRowProps {
  projectId: string;
  member: MemberInfo;
  isManaged: boolean;
}

function MemberRow({ projectId, member, isManaged }: MemberRowProps) {
  const change = useChangeMember(projectId);
  const remove = useRemoveMember(projectId);
  const failed = (error: Error) =>
    void toast.error('Nothing was changed', { description: toApiError(error).detail });
  const isOwner = member.role === 'owner';
  return (
    <li data-testid="member" className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5">
      <span className="min-w-0 grow font-medium break-words">{member.username}</span>
      {(!isManaged || isOwner) && <Badge tone={isOwner ? 'accent' : 'calm'}>{member.role}</Badge>}
      {isManaged && !isOwner && (
        <>
          <InlineSelect
            id={`member-${member.user_id}`}
            label="As"
            aria-label={`Role of ${member.username}`}
            disabled={change.isPending}
            value={member.role}
            onChange={(event) =>
              change.mutate(
                { userId: member.user_id, role: givenRole(event.target.value) },
                { onError: failed },
              )
            }
          >
            {roles.map(({ role, label }) => (
              <option key={role} value={role}>
                {label}
              </option>
            ))}
          </InlineSelect>
          <Button
            size="small"
            tone="danger"
            isBusy={remove.isPending}
            aria-label={`Remove ${member.username}`}
            onClick={() => remove.mutate(member.user_id, { onError: failed })}
          >
            Remove
          </Button>
        </>
      )}
    </li>
  );
}

interface MemberPanelProps {
  project: ProjectInfo;
  onLeft: () => void;
}

/** Who works in a project; its owner shares it here. */
export function MemberPanel({ project, onLeft }: MemberPanelProps) {
  const projectId = project.project_id;
  const { data, error, refetch } = useMembers(projectId);
  const leave = useLeaveProject(projectId);
  const isOwner = project.role === 'owner';
  return (
    <div className="grid gap-5 p-4 sm:p-5">
      {isOwner && <AddForm projectId={projectId} />}
      {!data && !error && <LoadingNote label="Reading who works here" />}
      {error && (
        <ErrorNote
          title="Could not read who works here"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {data && (
        <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
          {data.items.map((member) => (
            <MemberRow
              key={member.user_id}
              projectId={projectId}
              member={member}
              isManaged={isOwner}
            />
          ))}
        </ul>
      )}
      {!isOwner && (
        <div>
          <ConfirmDialog
            title={`Leave ${project.name}?`}
            confirmLabel="Leave"
            dismissLabel="Stay"
            onConfirm={() =>
              leave.mutate(undefined, {
                onSuccess: onLeft,
                onError: (problem) =>
                  void toast.error('You are still in it', {
                    description: toApiError(problem).detail,
                  }),
              })
            }
            trigger={
              <Button tone="danger" isBusy={leave.isPending}>
                Leave the project
              </Button>
            }
          >
            You no longer see it. Its owner can share it with you again.
          </ConfirmDialog>
        </div>
      )}
    </div>
  );
}
