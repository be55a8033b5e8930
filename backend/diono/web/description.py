"""The OpenAPI document: what FastAPI makes, with the errors as they really come."""

from typing import Any, cast

from fastapi import FastAPI

from diono.web.errors import ErrorBody

JSON = "application/json"
ERRORS = {
    400: "The request is not well-formed.",
    401: "Nobody is signed in, or the token or key is not valid.",
    403: "The role or the key does not allow this.",
    404: "There is no such thing, or it is not yours to see.",
    409: "It does not fit what is there or going on now.",
    413: "The body, or what it makes, is too large.",
    422: "A value is wrong; the detail says which.",
    429: "Too many requests or a quota is reached: wait as `Retry-After` says.",
    503: "What is needed for it does not run now: try again as `Retry-After` says.",
    507: "The disk is full.",
}
OPENAI_ERROR: dict[str, Any] = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "code": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
            "required": ["message", "type", "code"],
        }
    },
    "required": ["error"],
}


def describe(app: FastAPI) -> None:
    """Let the application's document tell its errors: always JSON, and OpenAI's below ``/v1``."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _with_errors(made())
        return app.openapi_schema

    app.openapi = openapi


def _with_errors(document: dict[str, Any]) -> dict[str, Any]:
    schemas: dict[str, Any] = document["components"]["schemas"]
    schemas["ErrorBody"] = ErrorBody.model_json_schema()
    schemas["OpenAIError"] = OPENAI_ERROR
    for path, methods in cast("dict[str, dict[str, Any]]", document["paths"]).items():
        name = "OpenAIError" if path.startswith("/v1/") else "ErrorBody"
        content = {JSON: {"schema": {"$ref": f"#/components/schemas/{name}"}}}
        for operation in methods.values():
            for status, description in ERRORS.items():
                told = {"description": description, "content": content}
                operation["responses"][str(status)] = told
    return document
