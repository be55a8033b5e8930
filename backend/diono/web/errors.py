"""One translation of domain errors to HTTP: ``{"error", "detail", "request_id"}``, and OpenAI's
form below ``/v1``."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from loguru import logger
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from diono.features.gateway.errors import openai_error, openai_status
from diono.kernel.errors import DionoError, ErrorKind

STATUS = {
    ErrorKind.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorKind.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    ErrorKind.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorKind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorKind.CONFLICT: HTTPStatus.CONFLICT,
    ErrorKind.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorKind.TOO_MANY: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorKind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorKind.STORAGE_FULL: HTTPStatus.INSUFFICIENT_STORAGE,
    ErrorKind.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}
RETRY_SECONDS = 5
OPENAI = "/v1/"


class ErrorBody(BaseModel):
    error: str = Field(description="Stable snake_case code.", examples=["task_not_found"])
    detail: str = Field(description="What happened and the way out.")
    request_id: str


def error_response(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    retry_after_seconds: int = RETRY_SECONDS,
) -> JSONResponse:
    request_id: str = getattr(request.state, "request_id", "")
    headers: dict[str, str] = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        headers["Retry-After"] = str(retry_after_seconds)
    if request.url.path.startswith(OPENAI):
        status = openai_status(status)
        return JSONResponse(openai_error(status, code, detail), status, headers)
    body = ErrorBody(error=code, detail=detail, request_id=request_id)
    return JSONResponse(body.model_dump(), status_code=status, headers=headers)


async def _domain_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, DionoError):
        raise error
    wait: int = getattr(error, "retry_after_seconds", RETRY_SECONDS)
    status = STATUS[error.kind]
    return error_response(request, status, error.code, error.detail, retry_after_seconds=wait)


async def _invalid_request(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    parts = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
    return error_response(
        request, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", "; ".join(parts)
    )


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_").replace("-", "_")
    return error_response(request, error.status_code, code, str(error.detail))


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.opt(exception=error).error("request failed inside")
    return error_response(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "Something went wrong inside Diono. The server's log has the cause by this request_id.",
    )


def install_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(DionoError, _domain_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)
