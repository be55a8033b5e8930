import { pause } from '@/lib/pause';
import { api, sendBytes, unwrap } from './client';
import { ApiError, toApiError } from './errors';
import type { UploadInfo } from './types';

const TRIES = 5;
const PAUSE_MILLISECONDS = 1_000;

function where(projectId: string, uploadId: string) {
  return { params: { path: { project_id: projectId, upload_id: uploadId } } };
}

async function sendFrom(
  projectId: string,
  upload: UploadInfo,
  file: File,
  signal: AbortSignal,
): Promise<void> {
  const path = `/api/projects/${projectId}/uploads/${upload.upload_id}`;
  const chunk = file.slice(upload.offset, upload.offset + upload.chunk_bytes);
  await sendBytes(path, chunk, { 'upload-offset': String(upload.offset) }, signal);
}

/**
 * Uploads a file piece by piece; what was acknowledged is kept, so a cut line costs one piece.
 * Throws ApiError for a refusal, or when the server stays away.
 */
export async function uploadFile(
  projectId: string,
  file: File,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<UploadInfo> {
  let upload = await unwrap(
    api.POST('/api/projects/{project_id}/uploads', {
      params: { path: { project_id: projectId } },
      body: { name: file.name, size: file.size },
      signal,
    }),
  );
  let failures = 0;
  while (!upload.is_complete) {
    const before = upload.offset;
    try {
      await sendFrom(projectId, upload, file, signal);
    } catch (error) {
      const problem = toApiError(error);
      // 409: the server has more than we know of; it is asked below.
      if (signal.aborted || (problem.isRefusal && problem.status !== 409)) throw problem;
      failures += 1;
      if (failures >= TRIES) throw problem;
      await pause(PAUSE_MILLISECONDS * failures, signal);
      if (signal.aborted) throw problem;
    }
    upload = await unwrap(
      api.GET('/api/projects/{project_id}/uploads/{upload_id}', {
        ...where(projectId, upload.upload_id),
        signal,
      }),
    );
    if (upload.offset > before) failures = 0;
    onProgress(upload.size ? upload.offset / upload.size : 1);
  }
  if (!upload.file)
    throw new ApiError('upload_lost', 'The upload ended without a file. Try again.');
  return upload;
}
