import type { Account, Inspection, ModelList, TaskEvent, TaskState, Token } from '@/api/types';

export const sampleToken: Token = {
  access_token: 'sample-token',
  token_type: 'bearer',
  expires_in: 900,
  refresh_token: 'sample-refresh',
  refresh_expires_in: 604_800,
  session_id: 'ses_1',
};

export const sampleAccount: Account = {
  user_id: 'usr_1',
  username: 'admin',
  email: null,
  is_email_verified: false,
  role: 'admin',
  is_admin: true,
};

export const sampleInspection: Inspection = {
  state: 'not_examined',
  structure: { type: '', file_count: 0, line_count: 0, entry_points: [] },
  dependencies: [],
  files: [],
  findings: [],
  not_examined: [{ what: 'all files', why: 'This task was not examined.' }],
  quality: { score: null, parts: [] },
  secrets: [],
  seconds: 0,
};

export const sampleModels: ModelList = {
  models: [
    {
      name: 'embedded/small',
      provider: 'embedded',
      size_bytes: 398_000_000,
      is_available: true,
      note: 'Runs in the server.',
    },
    {
      name: 'ollama/large',
      provider: 'ollama',
      size_bytes: null,
      is_available: false,
      note: 'Ollama does not answer.',
    },
  ],
  default: 'embedded/small',
  reason: 'It is here.',
  problem: '',
  fits: [],
  roles: {},
};

export function sampleTask(changes: Partial<TaskState> = {}): TaskState {
  return {
    task_id: 'tsk_1',
    project_id: 'prj_1',
    kind: 'build',
    runner: 'team',
    prompt: 'A program that counts words',
    options: {},
    priority: 100,
    budget_tokens: null,
    budget_cost_usd: null,
    rerun_of: null,
    requested_by: null,
    attempt: 1,
    queue: null,
    is_pause_requested: false,
    is_cancel_requested: false,
    waiting_for: null,
    tokens_in: 0,
    tokens_out: 0,
    cost_usd: 0,
    model: 'embedded/small',
    budget_seconds: 900,
    status: 'PENDING',
    progress: 0,
    phase: '',
    current_agent: null,
    last_message: '',
    final_result: null,
    error: null,
    created_at: '2026-01-02T12:00:00Z',
    started_at: null,
    finished_at: null,
    last_event_id: 0,
    has_preview: false,
    ...changes,
  };
}

type Payload = Record<string, unknown>;

/** Makes the events of one task, numbered from 1 and one second apart; THINKING has no number. */
export function createRecorder() {
  let last = 0;
  return (
    event_type: TaskEvent['event_type'],
    payload: Payload = {},
    agent_role: TaskEvent['agent_role'] = 'Engineer',
  ): TaskEvent => {
    if (event_type !== 'THINKING') last += 1;
    return {
      event_id: event_type === 'THINKING' ? null : last,
      task_id: 'tsk_1',
      timestamp: new Date(Date.UTC(2026, 0, 2, 12, 0, last)).toISOString(),
      agent_role,
      event_type,
      payload,
    };
  };
}

/** A build from acceptance to receipt, as the server records it. */
export function sampleBuild(): TaskEvent[] {
  const event = createRecorder();
  const check = { name: 'counts words', kind: 'cli', is_required: true };
  return [
    event('STATE', { status: 'RUNNING', progress: 0, phase: 'accepted' }, 'System'),
    event('AGENT_START', { title: 'Specification' }, 'ProductManager'),
    event('MESSAGE', { text: 'One command, one check.' }, 'ProductManager'),
    event('AGENT_COMPLETE', { title: 'Specification', seconds: 2.5 }, 'ProductManager'),
    event('AGENT_START', { title: 'Files' }),
    event('TOOL_START', { tool: 'install', title: 'Install' }),
    event('TOOL_COMPLETE', { tool: 'install', title: 'Install', is_success: true, seconds: 3 }),
    event('PREVIEW', { port: 8000, title: 'page', state: 'running' }, 'System'),
    event('THINKING', { text: 'def ', tokens: 1, tokens_per_second: 18.5, file: 'main.py' }),
    event('THINKING', { text: 'count', tokens: 2, tokens_per_second: 19, file: 'main.py' }),
    event('CHECK', { ...check, passed: false, detail: 'got 1', candidate: 1 }),
    event('CHECK', { ...check, passed: false, detail: 'got 2' }),
    event('CHECK', { ...check, passed: true }),
    event('FILE', { path: 'main.py', size: 20, sha256: 'aa', action: 'written' }),
    event('AGENT_COMPLETE', { title: 'Files' }),
    event('RESULT', { receipt: { status: 'SUCCEEDED' } }, 'System'),
    event('STATE', { status: 'SUCCEEDED', progress: 1, phase: 'succeeded' }, 'System'),
  ];
}
