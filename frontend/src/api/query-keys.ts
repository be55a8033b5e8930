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
  plans: (projectId: string) => ['projects', projectId, 'plans'] as const,
  services: (projectId: string) => ['projects', projectId, 'services'] as const,
};
