/** Cache addresses: everything of one task lies under `task(id)`. */
export const queryKeys = {
  me: ['me'] as const,
  signInOptions: ['sign-in-options'] as const,
  sessions: ['me', 'sessions'] as const,
  ownEvents: ['me', 'events'] as const,
  users: (search: string) => ['admin', 'users', search] as const,
  allUsers: ['admin', 'users'] as const,
  invitations: ['admin', 'invitations'] as const,
  registration: ['admin', 'registration'] as const,
  auditLog: (event: string) => ['admin', 'audit', event] as const,
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
  documents: (projectId: string) => ['projects', projectId, 'documents'] as const,
  documentList: (projectId: string) => ['projects', projectId, 'documents', 'list'] as const,
  document: (projectId: string, documentId: string) =>
    ['projects', projectId, 'documents', 'one', documentId] as const,
  documentRows: (projectId: string, documentId: string, table: string) =>
    ['projects', projectId, 'documents', 'one', documentId, 'rows', table] as const,
  documentSections: (projectId: string, documentId: string, anchor: string) =>
    ['projects', projectId, 'documents', 'one', documentId, 'sections', anchor] as const,
  documentSearch: (projectId: string, query: string) =>
    ['projects', projectId, 'documents', 'search', query] as const,
  picture: (path: string) => ['pictures', path] as const,
  storage: (projectId: string) => ['projects', projectId, 'storage'] as const,
  library: (projectId: string) => ['projects', projectId, 'library'] as const,
  libraryPages: (projectId: string, query: string, tag: string) =>
    ['projects', projectId, 'library', query, tag] as const,
  storedFiles: (projectId: string, name: string) =>
    ['projects', projectId, 'library', { stored: name }] as const,
  imports: (projectId: string) => ['projects', projectId, 'imports'] as const,
  members: (projectId: string) => ['projects', projectId, 'members'] as const,
  /** Of a project, or (null) one's own and the installation's. */
  providers: (projectId: string | null) => ['providers', projectId] as const,
  /** Of a project, or (null) of all projects. */
  webhooks: (projectId: string | null) => ['webhooks', projectId] as const,
  deliveries: (projectId: string | null, webhookId: string) =>
    ['webhooks', projectId, 'deliveries', webhookId] as const,
  notifications: ['me', 'notifications'] as const,
  drives: ['drives'] as const,
  driveItems: (linkId: string, folderId: string, text: string) =>
    ['drives', 'items', linkId, folderId, text] as const,
  driveJobs: (projectId: string) => ['projects', projectId, 'drive-jobs'] as const,
  driveSyncs: (projectId: string) => ['projects', projectId, 'drive-syncs'] as const,
  inspection: (taskId: string) => ['tasks', taskId, 'inspection'] as const,
  plans: (projectId: string) => ['projects', projectId, 'plans'] as const,
  services: (projectId: string) => ['projects', projectId, 'services'] as const,
};
