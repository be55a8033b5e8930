import { isRecord } from '@/lib/json';

/** Every failure the screens can meet, as one shape: a stable code and a sentence for the reader. */
export class ApiError extends Error {
  readonly code: string;
  readonly detail: string;
  readonly status: number;
  readonly requestId: string;

  constructor(code: string, detail: string, status = 0, requestId = '') {
    super(detail);
    this.name = 'ApiError';
    this.code = code;
    this.detail = detail;
    this.status = status;
    this.requestId = requestId;
  }

  /** The server understood and refused: asking again changes nothing. */
  get isRefusal(): boolean {
    return this.status >= 400 && this.status < 500 && this.status !== 408 && this.status !== 429;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Reads the server's `{error, detail, request_id}`, and stays useful if a proxy answered instead. */
export function errorFromBody(body: unknown, response: Response): ApiError {
  const requestId = response.headers.get('x-request-id') ?? '';
  if (isRecord(body) && typeof body['error'] === 'string') {
    const detail = textOf(body['detail']) || body['error'];
    return new ApiError(
      body['error'],
      detail,
      response.status,
      textOf(body['request_id']) || requestId,
    );
  }
  return new ApiError(
    'unexpected_answer',
    `The server answered ${response.status} ${response.statusText}`.trim() +
      ' without saying why. Look at its log, then try again.',
    response.status,
    requestId,
  );
}

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof TypeError) {
    return new ApiError(
      'network_error',
      'Diono does not answer. Check that the server is still running; nothing that it has ' +
        'recorded is lost.',
    );
  }
  const detail = error instanceof Error ? error.message : String(error);
  return new ApiError('unexpected_error', detail);
}
