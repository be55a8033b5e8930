import { HardDrive } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import type { DriveLink } from '@/api/types';
import { buttonClass } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { SelectField } from '@/components/ui/field';
import { EmptyState, Note } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { DriveBrowser } from './drive-browser';
import { JobList } from './job-list';
import { useDrives } from './queries';
import { SyncList } from './sync-list';
import { useFollowArrivals } from './transfer-queries';

function NoDrives() {
  return (
    <div className="rounded-xl border border-line bg-surface">
      <EmptyState
        icon={<HardDrive />}
        title="You have no drive linked"
        action={
          <Link to="/drives" className={buttonClass({})}>
            Link a drive
          </Link>
        }
      >
        Link one, and its files can be brought here.
      </EmptyState>
    </div>
  );
}

function Choice({ projectId, links }: { projectId: string; links: readonly DriveLink[] }) {
  const [linkId, setLinkId] = useState('');
  const chosen = links.find((link) => link.link_id === linkId);
  return (
    <div className="grid gap-4">
      <div className="max-w-md">
        <SelectField
          id="drive-choice"
          label="Drive"
          value={chosen ? linkId : ''}
          onChange={(event) => setLinkId(event.target.value)}
        >
          <option value="">Choose a drive</option>
          {links.map((link) => (
            <option key={link.link_id} value={link.link_id}>
              {link.title || link.provider}
              {link.state === 'broken' ? ' (broken)' : ''}
            </option>
          ))}
        </SelectField>
      </div>
      {chosen?.state === 'broken' && (
        <Note
          tone="bad"
          title="The drive lets Diono in no more"
          action={
            <Link to="/drives" className={buttonClass({ size: 'small' })}>
              Your drives
            </Link>
          }
        >
          {chosen.problem}
        </Note>
      )}
      {chosen?.state === 'ok' && (
        <DriveBrowser key={chosen.link_id} projectId={projectId} linkId={chosen.link_id} />
      )}
    </div>
  );
}

/** Files between a project's library and one's drives. */
export function TransferPanel({
  projectId,
  isReadOnly,
}: {
  projectId: string;
  isReadOnly: boolean;
}) {
  useFollowArrivals(projectId);
  const { data, error, refetch } = useDrives();
  return (
    <div className="grid gap-4">
      <SyncList projectId={projectId} isReadOnly={isReadOnly} />
      {!data && !error && <LoadingNote label="Reading your drives" />}
      {error && (
        <ErrorNote
          title="Could not read your drives"
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {isReadOnly && <p className="text-ink-soft">Who looks on only cannot bring files.</p>}
      {data && !isReadOnly && data.links.length === 0 && <NoDrives />}
      {data && !isReadOnly && data.links.length > 0 && (
        <Choice projectId={projectId} links={data.links} />
      )}
      <JobList projectId={projectId} isReadOnly={isReadOnly} />
    </div>
  );
}
