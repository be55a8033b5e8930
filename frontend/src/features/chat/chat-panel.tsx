import { useEffect, useRef, type ReactNode } from 'react';
import { toast } from 'sonner';
import { toApiError } from '@/api/errors';
import { QuestionCard } from '@/components/decision/question-card';
import { ErrorNote } from '@/components/ui/error-note';
import { FollowingScroller } from '@/components/ui/following-scroller';
import { Composer, type Wish } from './composer';
import { ConversationList } from './conversation-list';
import { emptyTurn, type TurnView } from './turn-view';
import {
  useAnswer,
  useHistory,
  useProjectState,
  useStartChange,
  useStop,
  useTurns,
} from './queries';
import { useLiveTurn, type LiveTurn } from './use-live-turn';

interface ChatPanelProps {
  projectId: string;
  model: string | null;
  modelPicker: ReactNode;
}

/** Follows what was found running when the page was opened, or was started elsewhere. */
function useRunningTurn(projectId: string) {
  const turns = useLiveTurn(projectId);
  const { live, follow } = turns;
  const state = useProjectState(projectId);
  const runningId = state.data?.running?.task_id ?? '';
  const seen = useRef('');
  const isFollowing = live !== null && live.view.end === null;
  useEffect(() => {
    if (!runningId || isFollowing || seen.current === runningId) return;
    seen.current = runningId;
    if (live?.view.taskId !== runningId) follow(runningId, '');
    // `follow` is new at every drawing and does not need to be the newest.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [runningId, isFollowing, live]);
  return { ...turns, state, isFollowing };
}

function OpenAsk({ projectId, view }: { projectId: string; view: TurnView }) {
  const answer = useAnswer(projectId);
  const { question } = view;
  if (!question) return null;
  return (
    <QuestionCard
      question={question}
      isBusy={answer.isPending}
      error={answer.error}
      onAnswer={(given) => answer.mutate({ taskId: view.taskId, key: question.key, answer: given })}
    />
  );
}

/** How many turns are shown: none before both parts of the conversation are here. */
function useTurnCount(projectId: string): number {
  const turns = useTurns(projectId).data?.pages.flatMap((page) => page.items).length ?? 0;
  return useHistory(projectId).data ? turns : 0;
}

function sayNotStopped(error: Error): void {
  toast.error('It was not stopped', { description: toApiError(error).detail });
}

const viewOf = (live: LiveTurn | null): TurnView => live?.view ?? emptyTurn;

export function ChatPanel({ projectId, model, modelPicker }: ChatPanelProps) {
  const { live, error, send, follow, isFollowing } = useRunningTurn(projectId);
  const turnCount = useTurnCount(projectId);
  const change = useStartChange(projectId);
  const stop = useStop();
  const view = viewOf(live);
  const problem = error ?? change.error;
  const say = (wish: Wish) => {
    stop.reset();
    if (wish.mode === 'chat') {
      send({ message: wish.text, model, runner: 'codeact', approval: wish.approval });
      return;
    }
    change.mutate(
      { prompt: wish.text, model, isPlanAsked: wish.approval === 'always' },
      { onSuccess: (task) => follow(task.task_id, wish.text) },
    );
  };
  return (
    <div className="flex h-full min-h-0 min-w-0 flex-col">
      <FollowingScroller
        label="Conversation so far"
        growth={1 + turnCount + view.lastEventId + view.draft.length}
        isGrowing
        className="min-h-0 grow overflow-y-auto px-4 py-5 outline-offset-[-2px] sm:px-6"
      >
        <div className="mx-auto grid max-w-3xl grid-cols-1 gap-5">
          <ConversationList projectId={projectId} live={live} />
          <OpenAsk projectId={projectId} view={view} />
          {problem && <ErrorNote title="The message was not taken" error={toApiError(problem)} />}
        </div>
      </FollowingScroller>
      <div className="mx-auto w-full max-w-3xl px-3 pb-3 sm:pb-5">
        <Composer
          isRunning={isFollowing}
          isSending={change.isPending}
          isStopping={stop.isPending || (stop.isSuccess && isFollowing)}
          modelPicker={modelPicker}
          onSend={say}
          onStop={() => view.taskId && stop.mutate(view.taskId, { onError: sayNotStopped })}
        />
      </div>
    </div>
  );
}
