"""Requests made from the API's own description, as each identity; what comes back is checked
against the description."""

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks as described

from .conftest import Server

IDENTITIES = ("anonymous", "owner", "viewer", "member", "admin", "key")
# Not annotated by the library.
CHECKS = tuple(
    getattr(module, name)
    for module, name in (
        (checks, "not_a_server_error"),
        (described, "status_code_conformance"),
        (described, "content_type_conformance"),
        (described, "response_headers_conformance"),
        (described, "response_schema_conformance"),
    )
)
# Stated: what is needed does not run here (no engine, no model), or the disk is full.
STATED = frozenset({503, 507})
# These would end the session of who asks.
ENDING = frozenset({("POST", "/api/auth/logout"), ("DELETE", "/api/me/sessions"),
                    ("POST", "/api/me/password"), ("PATCH", "/api/admin/users/{user_id}"),
                    ("DELETE", "/api/admin/users/{user_id}/sessions")})  # fmt: skip
# Waits for the end of a task, and nobody runs tasks here.
WAITING = frozenset({("POST", "/v1/chat/completions")})
ANSWER_SECONDS = 60
OWN_SHARE = 0.7
WRONG_SHARE = 0.3


@schemathesis.serializer("application/offset+octet-stream")
def _bytes_of_chunk(_context: Any, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode()


class _Session(requests.Session):
    """Of a stream of events only its head: some have no end, and some nothing to tell yet."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        options["stream"] = True
        reply = super().send(request, **options)
        if reply.headers.get("Content-Type", "").startswith("text/event-stream"):
            # What the library itself keeps, once a body has been read.
            vars(reply).update(_content=b"", _content_consumed=True)
            reply.close()
        else:
            _ = reply.content
        return reply


class Fuzzing:
    """Sends cases and keeps what was wrong, by operation and cause."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session = _Session()
        self.statuses: Counter[int] = Counter()
        self.problems: dict[str, str] = {}
        self.operations = 0

    @property
    def cases(self) -> int:
        return self.statuses.total()

    def described(self) -> Sequence[Any]:
        load = cast("Any", schemathesis.openapi.from_url)
        schema = load(f"{self._server.url}/api/openapi.json")
        return [found.ok() for found in schema.get_all_operations()]

    def send(self, case: Any, who: str, *, is_own: bool) -> None:
        place = (case.method.upper(), case.path)
        if place in ENDING | WAITING and who != "anonymous":
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

    def drive(self, operation: Any, who: str, examples: int, start: int) -> None:
        """Send so many cases of an operation, some of a shape that the description forbids."""
        own = random.Random(start)
        wrong = round(examples * WRONG_SHARE)
        shapes = [(GenerationMode.POSITIVE, examples - wrong), (GenerationMode.NEGATIVE, wrong)]
        for mode, count in shapes:
            if count == 0 or (mode is GenerationMode.NEGATIVE and not _can_be_wrong(operation)):
                continue

            @seed(start)
            @settings(
                max_examples=count,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=cast("Any", list(HealthCheck)),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def each(case: Any) -> None:
                self.send(case, who, is_own=own.random() < OWN_SHARE)

            # The library finds no wrong shape of what takes any.
            with suppress(Unsatisfiable):
                each()


def _can_be_wrong(operation: Any) -> bool:
    """Whether anything of an operation has a shape; the library finds no wrong case otherwise."""
    return bool(operation.body) or bool(operation.query)


def fuzz_some(server: Server, *, every: int, examples: int, start: int) -> Fuzzing:
    """Send some cases of each so-manieth operation, as one identity each."""
    fuzzing, choice = Fuzzing(server), random.Random(start)
    for number, operation in enumerate(fuzzing.described()):
        if number % every == 0:
            fuzzing.operations += 1
            fuzzing.drive(operation, choice.choice(IDENTITIES), examples, start + number)
    return fuzzing


def fuzz_part(server: Server, *, part: int, parts: int, least: int, start: int) -> Fuzzing:
    """Send at least so many cases of one part of all operations, of each as each identity."""
    fuzzing = Fuzzing(server)
    mine = list(enumerate(fuzzing.described()))[part::parts]
    fuzzing.operations = len(mine)
    examples = least // (len(mine) * len(IDENTITIES)) + 1
    again = 0
    while fuzzing.cases < least:
        for number, operation in mine:
            for who in IDENTITIES:
                fuzzing.drive(operation, who, examples, start + number + again)
        again += 10_000
    return fuzzing
