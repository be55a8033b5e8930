import { http, HttpResponse, type DefaultBodyType, type HttpHandler } from 'msw';
import type { paths } from '@/api/schema';
import type { TaskState } from '@/api/types';
import { sampleAccount, sampleInspection, sampleModels, sampleTask, sampleToken } from './samples';

export const PASSWORD = 'secret';

let tasks: TaskState[] = [];

export function resetStore(): void {
  tasks = [];
}

export function addTask(changes: Partial<TaskState> = {}): TaskState {
  const task = sampleTask({ task_id: `tsk_${tasks.length + 1}`, ...changes });
  tasks = [task, ...tasks];
  return task;
}

export function problem(status: number, error: string, detail: string) {
  return HttpResponse.json({ error, detail, request_id: 'req_1' }, { status });
}

/** The body that the schema promises for a route; a wrong or missing field fails the type check. */
type Body<
  Path extends keyof paths,
  Method extends keyof paths[Path],
  Status extends number,
> = paths[Path][Method] extends {
  responses: Record<Status, { content: { 'application/json': infer Content } }>;
}
  ? Content
  : never;

function json<Path extends keyof paths, Method extends keyof paths[Path], Status extends number>(
  _path: Path,
  _method: Method,
  status: Status,
  body: Body<Path, Method, Status> & DefaultBodyType,
) {
  return HttpResponse.json<DefaultBodyType>(body, { status });
}

function withTask(
  taskId: unknown,
  answer: (task: TaskState) => HttpResponse<DefaultBodyType>,
): HttpResponse<DefaultBodyType> {
  const task = tasks.find((it) => it.task_id === taskId);
  return task ? answer(task) : problem(404, 'task_not_found', 'There is no such task.');
}

export const handlers: HttpHandler[] = [
  http.post('/api/auth/token', async ({ request }) => {
    const form = new URLSearchParams(await request.text());
    if (form.get('password') !== PASSWORD) {
      return problem(401, 'credentials_wrong', 'The user name or the password is wrong.');
    }
    return json('/api/auth/token', 'post', 200, sampleToken);
  }),
  http.get('/api/auth/options', () =>
    json('/api/auth/options', 'get', 200, {
      registration: 'closed',
      is_mail_on: false,
      oidc: null,
    }),
  ),
  http.post('/api/auth/refresh', () => json('/api/auth/refresh', 'post', 200, sampleToken)),
  http.post('/api/auth/logout', () => new HttpResponse(null, { status: 204 })),
  http.get('/api/me', () => json('/api/me', 'get', 200, sampleAccount)),
  http.get('/api/models', () => json('/api/models', 'get', 200, sampleModels)),
  http.get('/api/tasks', () => json('/api/tasks', 'get', 200, { items: tasks, next_cursor: null })),
  http.post('/api/tasks', async ({ request }) => {
    const text = await request.text();
    if (text.length > 16_000) return problem(413, 'prompt_too_long', 'Say the essence.');
    return json('/api/tasks', 'post', 201, addTask());
  }),
  http.post('/api/tasks/:taskId/run', ({ params }) =>
    withTask(params['taskId'], (task) => json('/api/tasks/{task_id}/run', 'post', 202, task)),
  ),
  http.post('/api/tasks/:taskId/preview', () =>
    json('/api/tasks/{task_id}/preview', 'post', 200, {
      url: 'http://127.0.0.1:8100/?token=one',
      expires_at: '2026-01-02T13:00:00Z',
    }),
  ),
  http.get('/api/tasks/:taskId/inspection', () =>
    json('/api/tasks/{task_id}/inspection', 'get', 200, sampleInspection),
  ),
  http.get('/api/tasks/:taskId/state', ({ params }) =>
    withTask(params['taskId'], (task) => json('/api/tasks/{task_id}/state', 'get', 200, task)),
  ),
];
