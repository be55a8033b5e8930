import { MailPlus } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import type { InvitationInfo, Role } from '@/api/types';
import { OneTimeLink } from '@/components/one-time-link';
import { SectionHead } from '@/components/page-head';
import { Badge } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { SelectField, TextField } from '@/components/ui/field';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatUntil } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { useInvitations, useInvite, useWithdrawInvitation } from './queries';
import { roleChoices, roleOf } from './roles';

function InviteForm() {
  const invite = useInvite();
  const [role, setRole] = useState<Role>('developer');
  const [email, setEmail] = useState('');
  if (invite.data) {
    return (
      <OneTimeLink
        title="The invitation is ready"
        url={invite.data.url}
        note={
          invite.data.is_mailed
            ? 'It was sent by mail too. The link works once.'
            : 'The link works once. Hand it over by a way that only its reader can read.'
        }
        onClose={() => invite.reset()}
      />
    );
  }
  return (
    <form
      aria-label="Invite"
      className="mb-4 grid items-end gap-3 sm:grid-cols-[10rem_1fr_auto]"
      onSubmit={(event) => {
        event.preventDefault();
        invite.mutate(
          { role, email: email.trim() || null, expires_in_days: 7 },
          { onSuccess: () => setEmail('') },
        );
      }}
    >
      {invite.error && (
        <ErrorNote
          className="sm:col-span-3"
          title="No invitation was made"
          error={toApiError(invite.error)}
        />
      )}
      <SelectField
        id="invitation-role"
        label="As"
        value={role}
        onChange={(event) => setRole(roleOf(event.target.value))}
      >
        {roleChoices.map((choice) => (
          <option key={choice.role} value={choice.role}>
            {choice.label}
          </option>
        ))}
      </SelectField>
      <TextField
        id="invitation-email"
        label="E-mail address (if you like)"
        type="email"
        maxLength={254}
        value={email}
        onChange={(event) => setEmail(event.target.value)}
      />
      <Button type="submit" className="h-10" isBusy={invite.isPending}>
        Invite
      </Button>
    </form>
  );
}

function stateOf(item: InvitationInfo, now: number) {
  if (item.used_at) return { label: 'Used', tone: 'good' as const, isOpen: false };
  if (item.revoked_at) return { label: 'Withdrawn', tone: 'calm' as const, isOpen: false };
  if (Date.parse(item.expires_at) <= now)
    return { label: 'Over', tone: 'calm' as const, isOpen: false };
  return {
    label: `Ends ${formatUntil(item.expires_at, now)}`,
    tone: 'accent' as const,
    isOpen: true,
  };
}

function Row({ item, now }: { item: InvitationInfo; now: number }) {
  const withdraw = useWithdrawInvitation();
  const state = stateOf(item, now);
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3">
      <span className="min-w-0 grow break-words">{item.email ?? 'For whoever has the link'}</span>
      <Badge tone="calm">{item.role}</Badge>
      <Badge tone={state.tone}>{state.label}</Badge>
      {state.isOpen && (
        <Button
          size="small"
          tone="danger"
          isBusy={withdraw.isPending}
          onClick={() =>
            withdraw.mutate(item.invitation_id, {
              onError: (error) =>
                void toast.error('It was not withdrawn', { description: toApiError(error).detail }),
            })
          }
        >
          Withdraw
        </Button>
      )}
    </li>
  );
}

export function InvitationSection() {
  const { data, error, refetch } = useInvitations();
  const now = useNow(30_000);
  return (
    <section aria-labelledby="invitations">
      <SectionHead id="invitations" title="Invitations" />
      <InviteForm />
      {!data && !error && <LoadingNote label="Reading the invitations" />}
      {error && (
        <ErrorNote
          title="Could not read the invitations"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {data && (
        <div className="rounded-xl border border-line bg-surface">
          {data.items.length === 0 ? (
            <EmptyState icon={<MailPlus />} title="Nobody has been invited yet" />
          ) : (
            <ul className="divide-y divide-line">
              {data.items.map((item) => (
                <Row key={item.invitation_id} item={item} now={now} />
              ))}
            </ul>
          )}
        </div>
      )}
    </section>
  );
}
