/** Cache addresses: everything of one task lies under `task(id)`. */
export const queryKeys = {
  me: ['me'] as const,
  models: ['models'] as const,
  taskList: ['task-list'] as const,
  task: (taskId: string) => ['tasks', taskId] as const,
  taskState: (taskId: string) => ['tasks', taskId, 'state'] as const,
  taskEvents: (taskId: string) => ['tasks', taskId, 'events'] as const,
  artifacts: (taskId: string) => ['tasks', taskId, 'artifacts'] as const,
  artifactText: (taskId: string, path: string, sha256: string) =>
    ['tasks', taskId, 'artifact', path, sha256] as const,
  preview: (taskId: string) => ['tasks', taskId, 'preview'] as const,
  sandboxes: ['sandboxes'] as const,
  sandboxKeys: ['sandbox-keys'] as const,
  languages: ['languages'] as const,
  projects: ['project-list'] as const,
  project: (projectId: string) => ['projects', projectId] as const,
  projectInfo: (projectId: string) => ['projects', projectId, 'info'] as const,
  projectState: (projectId: string) => ['projects', projectId, 'state'] as const,
  history: (projectId: string) => ['projects', projectId, 'history'] as const,
  turns: (projectId: string) => ['projects', projectId, 'turns'] as const,
  turnSteps: (projectId: string, taskId: string) =>
    ['projects', projectId, 'steps', taskId] as const,
  checkpoints: (projectId: string, isBookmarked: boolean) =>
    ['projects', projectId, 'checkpoints', isBookmarked] as const,
  checkpointDiff: (projectId: string, checkpointId: string, to: string) =>
    ['projects', projectId, 'checkpoints', 'diff', checkpointId, to] as const,
  fit: (name: string) => ['models', 'fit', name] as const,
  analytics: (days: number, isOfAll: boolean) => ['analytics', days, isOfAll] as const,
  replay: (taskId: string) => ['tasks', taskId, 'replay'] as const,
  replayFile: (taskId: string, sha256: string) => ['tasks', taskId, 'replay', sha256] as const,
  comparison: (left: string, right: string) => ['tasks', left, 'compare', right] as const,
  apiKeys: ['api-keys'] as const,
  plans: (projectId: string) => ['projects', projectId, 'plans'] as const,
  services: (projectId: string) => ['projects', projectId, 'services'] as const,
};
