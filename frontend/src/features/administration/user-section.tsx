import { useState } from 'react';
import { toApiError } from '@/api/errors';
import type { Role, UserInfo } from '@/api/types';
import { SectionHead } from '@/components/page-head';
import { OneTimeLink } from '@/components/one-time-link';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { SelectField, TextField } from '@/components/ui/field';
import { LoadingNote } from '@/components/ui/spinner';
import { useCreateUser, useRecoveryLink, useUsers } from './queries';
import { roleChoices, roleOf } from './roles';
import { UserRow } from './user-row';

function NewUserForm({ onMade }: { onMade: (user: UserInfo) => void }) {
  const create = useCreateUser();
  const [username, setUsername] = useState('');
  const [role, setRole] = useState<Role>('developer');
  return (
    <form
      aria-label="New user"
      className="mb-4 grid items-end gap-3 sm:grid-cols-[1fr_10rem_auto]"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate(
          { username: username.trim(), role, password: null, email: null },
          {
            onSuccess: (user) => {
              setUsername('');
              onMade(user);
            },
          },
        );
      }}
    >
      {create.error && (
        <ErrorNote
          className="sm:col-span-3"
          title="The user was not added"
          error={toApiError(create.error)}
        />
      )}
      <TextField
        id="new-user-name"
        label="User name"
        autoCapitalize="none"
        spellCheck={false}
        required
        maxLength={64}
        value={username}
        onChange={(event) => setUsername(event.target.value)}
      />
      <SelectField
        id="new-user-role"
        label="Role"
        value={role}
        onChange={(event) => setRole(roleOf(event.target.value))}
      >
        {roleChoices.map((choice) => (
          <option key={choice.role} value={choice.role}>
            {choice.label}
          </option>
        ))}
      </SelectField>
      <Button type="submit" className="h-10" isBusy={create.isPending} disabled={!username.trim()}>
        Add
      </Button>
    </form>
  );
}

export function UserSection({ ownId }: { ownId: string }) {
  const [search, setSearch] = useState('');
  const list = useUsers(search.trim());
  const link = useRecoveryLink();
  const [linkFor, setLinkFor] = useState('');
  const users = list.data?.pages.flatMap((page) => page.items) ?? [];
  const makeLink = (user: UserInfo) => {
    setLinkFor(user.username);
    link.mutate(user.user_id);
  };
  return (
    <section aria-labelledby="users">
      <SectionHead id="users" title="People">
        A new user gets a link to choose a password with.
      </SectionHead>
      <NewUserForm onMade={makeLink} />
      {link.error && <ErrorNote title="No link was made" error={toApiError(link.error)} />}
      {link.data && (
        <OneTimeLink
          title={`A link for ${linkFor} to set a password`}
          url={link.data.url}
          note="It works once. Hand it over by a way that only its reader can read."
          onClose={() => link.reset()}
        />
      )}
      <div className="mb-3 max-w-sm">
        <TextField
          id="user-search"
          label="Find"
          type="search"
          placeholder="Name or address"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      </div>
      {list.isPending && <LoadingNote label="Reading the users" />}
      {list.error && (
        <ErrorNote
          title="Could not read the users"
          error={list.error}
          onRetry={() => void list.refetch()}
        />
      )}
      {list.data && (
        <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
          {users.map((user) => (
            <UserRow
              key={user.user_id}
              user={user}
              isSelf={user.user_id === ownId}
              onLink={() => makeLink(user)}
            />
          ))}
          {users.length === 0 && <li className="px-4 py-3 text-ink-soft">Nobody of that name.</li>}
        </ul>
      )}
      {list.hasNextPage && (
        <Button
          tone="ghost"
          className="mt-2"
          isBusy={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </section>
  );
}
