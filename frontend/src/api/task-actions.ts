import { api, unwrap } from './client';
import type { TaskState } from './types';

/** The user's answer to a task's open question. */
export interface Answer {
  approved: boolean;
  text: string;
  details: Record<string, unknown>;
}

export function atTask(taskId: string) {
  return { params: { path: { task_id: taskId } } };
}

/** `key` names the question, so that an answer never reaches the next one. */
export function sendDecision(taskId: string, key: string, answer: Answer): Promise<TaskState> {
  const body = { key, ...answer };
  return unwrap(api.POST('/api/tasks/{task_id}/decision', { ...atTask(taskId), body }));
}

export function cancelTask(taskId: string): Promise<TaskState> {
  return unwrap(api.POST('/api/tasks/{task_id}/cancel', atTask(taskId)));
}

export function runTask(taskId: string): Promise<TaskState> {
  return unwrap(api.POST('/api/tasks/{task_id}/run', atTask(taskId)));
}
