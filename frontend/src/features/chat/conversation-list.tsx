import { MessagesSquare } from 'lucide-react';
import type { HistoryMessage, TaskState } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { EmptyState } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { conversationOf, type Entry } from './conversation';
import { useHistory, useTurns } from './queries';
import { Asked, LiveCard, PastCard, SaidCard } from './turn-card';
import type { LiveTurn } from './use-live-turn';

/** A summary of older messages, or a note that the project went back. */
function Mark({ message }: { message: HistoryMessage }) {
  const title = message.is_summary ? 'The agent reads older messages as a summary' : '';
  return (
    <div className="border-t border-dashed border-line-strong pt-2 text-center text-[0.87rem] text-ink-faint">
      {title ? (
        <details>
          <summary className="hover:text-ink">{title}</summary>
          <p className="mt-1.5 text-left break-words whitespace-pre-wrap">{message.content}</p>
        </details>
      ) : (
        <p className="break-words">{message.content}</p>
      )}
    </div>
  );
}

function TurnCard({ task, live }: { task: TaskState; live: LiveTurn | null }) {
  const isOver = task.finished_at !== null;
  // Once the server's own account of the turn is here, that is shown.
  if (live?.view.taskId === task.task_id && !(isOver && live.view.end)) {
    return <LiveCard view={live.view} isConnected={live.isConnected} />;
  }
  if (isOver) return <PastCard task={task} />;
  const isQueued = task.queue?.state === 'queued';
  return (
    <p className="text-[0.87rem] text-ink-faint">{isQueued ? 'Waits in line.' : 'Not finished.'}</p>
  );
}

function EntryCard({ entry, live }: { entry: Entry; live: LiveTurn | null }) {
  if (entry.kind === 'mark') return <Mark message={entry.message} />;
  if (entry.kind === 'said') return <SaidCard messages={entry.messages} />;
  return (
    <>
      <Asked text={entry.task.prompt} kind={entry.task.kind} />
      <TurnCard task={entry.task} live={live} />
    </>
  );
}

function Entries({ entries, live }: { entries: readonly Entry[]; live: LiveTurn | null }) {
  const isListed = entries.some((it) => it.kind === 'turn' && it.id === live?.view.taskId);
  return (
    <ol className="grid grid-cols-1 gap-7" aria-label="Conversation">
      {entries.map((entry) => (
        <li
          key={entry.id}
          className="grid min-w-0 grid-cols-1 gap-3"
          data-testid={entry.kind === 'mark' ? 'mark' : 'turn'}
        >
          <EntryCard entry={entry} live={live} />
        </li>
      ))}
      {live && !isListed && (
        <li className="grid min-w-0 grid-cols-1 gap-3" data-testid="turn">
          {live.prompt && <Asked text={live.prompt} kind="chat" />}
          <LiveCard view={live.view} isConnected={live.isConnected} />
        </li>
      )}
    </ol>
  );
}

interface ConversationListProps {
  projectId: string;
  live: LiveTurn | null;
}

interface Conversation {
  entries: readonly Entry[] | null;
  error: Error | null;
  hasEarlier: boolean;
  isReadingEarlier: boolean;
  readEarlier: () => void;
  readAgain: () => void;
}

function useConversation(projectId: string): Conversation {
  const turns = useTurns(projectId);
  const history = useHistory(projectId);
  const entries =
    turns.data && history.data
      ? conversationOf(
          turns.data.pages.flatMap((page) => page.items),
          history.data.pages.flatMap((page) => page.messages),
        )
      : null;
  return {
    entries,
    error: turns.error ?? history.error,
    hasEarlier: turns.hasNextPage || history.hasNextPage,
    isReadingEarlier: turns.isFetchingNextPage || history.isFetchingNextPage,
    readEarlier: () => {
      if (turns.hasNextPage) void turns.fetchNextPage();
      if (history.hasNextPage) void history.fetchNextPage();
    },
    readAgain: () => {
      void turns.refetch();
      void history.refetch();
    },
  };
}

/** All that was said in a project, the turn that runs last. */
export function ConversationList({ projectId, live }: ConversationListProps) {
  const conversation = useConversation(projectId);
  const { entries, error } = conversation;
  const problem = error && (
    <ErrorNote
      title="Could not read the conversation"
      error={error}
      onRetry={conversation.readAgain}
    />
  );
  if (!entries) return problem ?? <LoadingNote label="Reading the conversation" />;
  if (entries.length === 0 && !live) {
    return (
      <EmptyState icon={<MessagesSquare />} title="Nothing was said yet">
        Ask about the program, or for a change. Changes are checked; what breaks a check is taken
        back.
      </EmptyState>
    );
  }
  return (
    <>
      {problem}
      {conversation.hasEarlier && (
        <Button
          tone="ghost"
          size="small"
          className="mx-auto flex"
          isBusy={conversation.isReadingEarlier}
          onClick={conversation.readEarlier}
        >
          Show earlier
        </Button>
      )}
      <Entries entries={entries} live={live} />
    </>
  );
}
