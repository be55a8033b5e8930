import { fetchBody } from '@/api/client';

function fileName(response: Response, fallback: string): string {
  const disposition = response.headers.get('content-disposition') ?? '';
  return /filename="?([^";]+)"?/.exec(disposition)?.[1] ?? fallback;
}

/** Saves the task's files as a zip; throws ApiError. */
export async function downloadExport(taskId: string): Promise<void> {
  const response = await fetchBody(`/api/tasks/${encodeURIComponent(taskId)}/export`);
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName(response, `${taskId}.zip`);
  link.click();
  // The browser reads the object after the click returned.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
