"""Filters and pages of lists: cursors stay right while entries come and go."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar
from urllib.parse import parse_qsl, unquote

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from diono.kernel.errors import InvalidInput
from diono.sandbox.fleet import SandboxInfo, SandboxState

_Item = TypeVar("_Item")
Position = tuple[str, str]
PAGE_LIMIT = 100


class PageQuery(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    limit: int = Field(default=PAGE_LIMIT, ge=1, le=1000)
    next_token: str = ""


class ListQuery(PageQuery):
    """The query string of GET /v2/sandboxes."""

    metadata: str = ""
    state: list[str] = Field(default_factory=list[str])
    template: str = ""
    started_after: str = ""
    order: Literal["asc", "desc"] = "desc"

    def filters(self) -> "Filters":
        """Raises InvalidInput."""
        return Filters(
            parse_metadata(self.metadata),
            _parse_states(self.state),
            self.template,
            _parse_time(self.started_after),
        )


@dataclass(frozen=True)
class Filters:
    metadata: Mapping[str, str]
    states: frozenset[SandboxState]
    template: str = ""
    started_after: datetime | None = None

    def takes(self, info: SandboxInfo) -> bool:
        return (
            info.state in self.states
            and all(info.metadata.get(name) == value for name, value in self.metadata.items())
            and self.template in {"", info.template_id, info.template_name}
            and (self.started_after is None or info.started_at >= self.started_after)
        )


def parse_metadata(encoded: str) -> dict[str, str]:
    """The filter is encoded twice; the framework has taken off the outer layer."""
    pairs = parse_qsl(encoded, keep_blank_values=True)
    return {unquote(name): unquote(value) for name, value in pairs}


def _parse_states(given: Sequence[str]) -> frozenset[SandboxState]:
    """Comma lists; none means all. Raises InvalidInput."""
    names = [name.strip() for part in given for name in part.split(",") if name.strip()]
    try:
        return frozenset(SandboxState(name) for name in names) or frozenset(SandboxState)
    except ValueError:
        raise InvalidInput("state: running or paused, or both with a comma") from None


def _parse_time(given: str) -> datetime | None:
    """Raises InvalidInput; a time without a zone is refused, as it could be anybody's."""
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError:
        raise InvalidInput("startedAfter: a time like 2026-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        raise InvalidInput("startedAfter: the time needs a zone, like ...T12:00:00Z")
    return moment


def position_of(info: SandboxInfo) -> Position:
    return info.started_at.isoformat(), info.sandbox_id


def page(
    items: Sequence[tuple[Position, _Item]], limit: int, token: str, is_ascending: bool
) -> tuple[list[_Item], str]:
    """Return one page and the token of the next; an empty token at the end."""
    ordered = sorted(items, key=lambda item: item[0], reverse=not is_ascending)
    if token:
        after = _decode(token)
        ordered = [
            item for item in ordered if (item[0] > after if is_ascending else item[0] < after)
        ]
    chosen = ordered[:limit]
    next_token = _encode(chosen[-1][0]) if len(ordered) > limit else ""
    return [item for _, item in chosen], next_token


def _encode(position: Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _decode(token: str) -> Position:
    try:
        first, second = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError):
        raise InvalidInput("nextToken: not a token of ours") from None
    return str(first), str(second)
