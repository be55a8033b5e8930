import { useState } from 'react';
import { toApiError } from '@/api/errors';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { CheckField } from '@/components/ui/field';
import type { Step } from './drive-data';
import { useFollowFolder } from './transfer-queries';

interface FollowFormProps {
  projectId: string;
  linkId: string;
  folder: Step;
}

export function FollowForm({ projectId, linkId, folder }: FollowFormProps) {
  const follow = useFollowFolder(projectId);
  const [isKeeping, setIsKeeping] = useState(false);
  return (
    <form
      aria-label="Follow this folder"
      className="grid content-start gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        follow.mutate({
          link_id: linkId,
          folder_id: folder.folderId,
          keeps_deleted: isKeeping,
        });
      }}
    >
      <p className="text-[0.93rem] text-ink-soft">
        Follow <span className="font-medium break-all text-ink">{folder.name}</span>: everything in
        it now, later what has changed.
      </p>
      {follow.error && <ErrorNote title="Not followed" error={toApiError(follow.error)} />}
      <CheckField
        id="follow-keeps"
        label="Keep files that are deleted there"
        checked={isKeeping}
        onChange={(event) => setIsKeeping(event.target.checked)}
      />
      <div>
        <Button type="submit" isBusy={follow.isPending}>
          Follow this folder
        </Button>
      </div>
    </form>
  );
}
