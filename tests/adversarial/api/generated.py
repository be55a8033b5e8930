"""Requests made from the API's own description, as each identity; what comes back is checked
against the description."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from .conftest import Server

IDENTITIES = ("anonymous", "owner", "viewer", "member", "admin", "key")
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
# Stated: what is needed does not run here (no engine, no model), or the disk is full.
STATED = frozenset({503, 507})
# These would end the session of who asks.
ENDING = frozenset({("POST", "/api/auth/logout"), ("DELETE", "/api/me/sessions"),
                    ("POST", "/api/me/password"), ("PATCH", "/api/admin/users/{user_id}"),
                    ("DELETE", "/api/admin/users/{user_id}/sessions")})  # fmt: skip
ANSWER_SECONDS = 20


@schemathesis.serializer("application/offset+octet-stream")
def _bytes_of_chunk(_context: Any, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode()


class Fuzzing:
    """Sends cases and keeps what was wrong, by operation and cause."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session = requests.Session()
        self.statuses: Counter[int] = Counter()
        self.problems: dict[str, str] = {}

    @property
    def cases(self) -> int:
        return self.statuses.total()

    def operations(self) -> Iterator[Any]:
        schema = schemathesis.openapi.from_url(f"{self._server.url}/api/openapi.json")
        for found in schema.get_all_operations():
            operation = cast("Any", found.ok())
            yield operation

    def send(self, case: Any, who: str, *, is_own: bool) -> None:
        place = (case.method.upper(), case.path)
        if place in ENDING and who != "anonymous":
            return
        if is_own:
            known = self._server.ids
            case.path_parameters = {
                name: known.get(name, value) for name, value in case.path_parameters.items()
            }
        token = self._server.tokens.get(who, "")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            reply = case.call(headers=headers, session=self._session, timeout=ANSWER_SECONDS)
        except requests.RequestException as error:
            self.problems[f"{place} by {who}: no answer"] = repr(error)[:300]
            return
        self.statuses[reply.status_code] += 1
        if reply.status_code in STATED:
            return
        try:
            case.validate_response(reply, checks=CHECKS, headers=headers)
        except (Failure, FailureGroup) as failure:
            causes = failure.exceptions if isinstance(failure, FailureGroup) else (failure,)
            for cause in causes:
                key = f"{place} by {who}: {reply.status_code} {type(cause).__name__}"
                self.problems.setdefault(key, f"{str(cause)[:400]} | {reply.text[:200]}")


def fuzz(server: Server, *, examples: int, identities: int, start: int, every: int = 1) -> Fuzzing:
    """Send about ``examples`` cases of each, or of ``every`` so-manieth, operation as each of so
    many identities."""
    fuzzing, choice = Fuzzing(server), random.Random(start)
    for number, operation in enumerate(fuzzing.operations()):
        if number % every:
            continue
        for who in choice.sample(IDENTITIES, identities):
            _drive(fuzzing, operation, who, examples, start + number)
    return fuzzing


def _drive(fuzzing: Fuzzing, operation: Any, who: str, examples: int, start: int) -> None:
    own = random.Random(start)

    @seed(start)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def each(case: Any) -> None:
        fuzzing.send(case, who, is_own=own.random() < 0.7)

    each()
