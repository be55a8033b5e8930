import { useState } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import type { StreamMode } from '@/api/event-stream';
import type { TaskState } from '@/api/types';
import { buttonClass } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { FollowingScroller } from '@/components/ui/following-scroller';
import { LoadingNote } from '@/components/ui/spinner';
import { Tab, TabList, TabPanel, Tabs } from '@/components/ui/tabs';
import { FilesPanel } from '@/features/files/files-panel';
import { ModelPicker } from '@/features/models/model-picker';
import { PreviewPanel } from '@/features/previews/preview-panel';
import { useTaskState } from '@/features/tasks/queries';
import { ProjectPanel } from '@/features/services/project-panel';
import { ReceiptPanel } from '@/features/tasks/receipt';
import { readReceipt } from '@/features/tasks/receipt-data';
import { RerunForm, TaskLinks } from '@/features/tasks/rerun-menu';
import { TaskHeader } from '@/features/tasks/task-header';
import { isTerminal } from '@/api/task-status';
import type { TaskView } from '@/features/tasks/task-view';
import { TaskQuestion } from '@/features/tasks/task-question';
import { TeamPanel } from '@/features/tasks/team-panel';
import { Timeline } from '@/features/tasks/timeline';
import { useTaskEvents } from '@/features/tasks/use-task-events';
import { shorten } from '@/lib/format';
import { useMediaQuery } from '@/lib/use-media-query';

const tabNames = ['timeline', 'team', 'preview', 'files', 'receipt', 'project'] as const;
type TabName = (typeof tabNames)[number];

function isTabName(value: string | null): value is TabName {
  return tabNames.some((name) => name === value);
}

/** What matters most now, until the reader chooses. */
function defaultTab(task: TaskState, hasPreview: boolean, isWide: boolean): TabName {
  if (isTerminal(task.status)) return 'receipt';
  if (task.waiting_for) return 'team';
  if (!isWide) return 'timeline';
  return hasPreview ? 'preview' : 'files';
}

function pickTab(
  wanted: string | null,
  task: TaskState,
  hasPreview: boolean,
  isWide: boolean,
): TabName {
  const isThere =
    isTabName(wanted) &&
    !(wanted === 'timeline' && isWide) &&
    !(wanted === 'project' && !isTerminal(task.status));
  return isThere ? wanted : defaultTab(task, hasPreview, isWide);
}

interface WorkAreaProps {
  task: TaskState;
  view: TaskView;
  isWide: boolean;
}

function WorkArea({ task, view, isWide }: WorkAreaProps) {
  const [params, setParams] = useSearchParams();
  const hasPreview = task.has_preview || view.isPreviewRunning;
  const isDone = isTerminal(task.status);
  const tab = pickTab(params.get('tab'), task, hasPreview, isWide);
  const show = (changes: Record<string, string>) =>
    setParams((current) => new URLSearchParams({ ...Object.fromEntries(current), ...changes }), {
      replace: true,
    });
  const checks = readReceipt(task.final_result)?.checks ?? view.checks;
  const passed = checks.filter((check) => check.passed === true).length;

  return (
    <Tabs
      value={tab}
      onValueChange={(value) => show({ tab: value })}
      className="h-full min-w-0 grow"
    >
      <TabList aria-label="Parts of this build">
        {!isWide && <Tab value="timeline">Timeline</Tab>}
        <Tab value="team">{task.waiting_for ? 'Team · question' : 'Team'}</Tab>
        <Tab value="preview">Preview</Tab>
        <Tab value="files">Files</Tab>
        <Tab value="receipt">
          {isDone ? 'Receipt' : 'Checks'}
          {checks.length > 0 && (
            <span className="text-[0.8rem] font-normal text-ink-faint tabular-nums">
              {passed}/{checks.length}
            </span>
          )}
        </Tab>
        {isDone && <Tab value="project">Project</Tab>}
      </TabList>
      {!isWide && (
        <TabPanel value="timeline" className="overflow-y-auto p-4 pt-5">
          <Timeline view={view} isWaiting={!isDone} />
        </TabPanel>
      )}
      <TabPanel value="team" className="overflow-y-auto">
        {task.waiting_for && (
          <div className="mx-auto max-w-3xl p-5 pb-0 sm:p-7 sm:pb-0">
            <TaskQuestion task={task} />
          </div>
        )}
        <TeamPanel task={task} view={view} />
      </TabPanel>
      <TabPanel value="preview" className="overflow-hidden">
        <PreviewPanel
          taskId={task.task_id}
          hasPreview={hasPreview}
          isDone={isDone}
          isCaughtUp={view.lastEventId >= task.last_event_id}
          revision={view.revision}
        />
      </TabPanel>
      <TabPanel value="files" className="overflow-hidden">
        <FilesPanel
          taskId={task.task_id}
          isDone={isDone}
          selectedPath={params.get('file')}
          onSelect={(file) => show({ tab: 'files', file })}
        />
      </TabPanel>
      <TabPanel value="receipt" className="overflow-y-auto">
        <ReceiptPanel task={task} liveChecks={view.checks} />
      </TabPanel>
      {isDone && (
        <TabPanel value="project" className="overflow-y-auto">
          <ProjectPanel projectId={task.project_id} />
        </TabPanel>
      )}
    </Tabs>
  );
}

function Head({ task, view, mode }: { task: TaskState; view: TaskView; mode: StreamMode }) {
  const [isRerunning, setIsRerunning] = useState(false);
  const [model, setModel] = useState<string | null>(null);
  return (
    <>
      <TaskHeader task={task} view={view} mode={mode}>
        {isTerminal(task.status) && (
          <TaskLinks task={task} onRerun={() => setIsRerunning(!isRerunning)} />
        )}
      </TaskHeader>
      {isRerunning && (
        <RerunForm
          task={task}
          model={model}
          modelPicker={<ModelPicker value={model} onChange={setModel} />}
          onClose={() => setIsRerunning(false)}
        />
      )}
    </>
  );
}

function TaskScreen({ taskId }: { taskId: string }) {
  const isWide = useMediaQuery('(min-width: 1024px)');
  const state = useTaskState(taskId);
  const events = useTaskEvents(taskId);
  const problem = state.data ? events.error : (state.error ?? events.error);

  if (!state.data) {
    if (!problem) return <LoadingNote label="Reading the build" className="pt-24" />;
    return (
      <div className="mx-auto max-w-xl p-6 pt-16">
        <ErrorNote
          title="This build cannot be shown"
          error={problem}
          onRetry={() => void state.refetch()}
        />
        <Link to="/" className={buttonClass({}, 'mt-4')}>
          New build
        </Link>
      </div>
    );
  }
  return (
    <div className="flex h-full min-h-0 flex-col">
      <title>{`${shorten(state.data.prompt, 50)} · Diono`}</title>
      <Head task={state.data} view={events.view} mode={events.mode} />
      {problem && (
        <ErrorNote className="m-4 mb-0" title="The timeline has stopped" error={problem} />
      )}
      <div className="flex min-h-0 grow">
        {isWide && (
          <FollowingScroller
            label="Steps"
            growth={events.view.lastEventId + (events.view.thinking?.tokens ?? 0)}
            isGrowing={!isTerminal(state.data.status)}
            className="w-[26rem] shrink-0 overflow-y-auto border-r border-line px-5 pt-5 outline-offset-[-2px] 2xl:w-[31rem]"
          >
            <Timeline view={events.view} isWaiting={!isTerminal(state.data.status)} />
          </FollowingScroller>
        )}
        <WorkArea task={state.data} view={events.view} isWide={isWide} />
      </div>
    </div>
  );
}

export function TaskPage() {
  const { taskId = '' } = useParams();
  return <TaskScreen key={taskId} taskId={taskId} />;
}
