"""Turn what a remote provider answered into our typed errors."""

import re
from dataclasses import dataclass

from diono.infra.redaction import SECRETS
from diono.llm.errors import (
    BadProviderReply,
    ContextExceeded,
    CredentialsRefused,
    ModelError,
    ModelNotFound,
    ProviderFailed,
    ProviderUnreachable,
    RateLimited,
    RequestRefused,
)

_CONTEXT = re.compile(
    r"context[ _](length|window|size)|exceed_context|prompt is too long|too many tokens"
    r"|maximum context|input is too long",
    re.IGNORECASE,
)
_SHOWN_CHARACTERS = 300


@dataclass(frozen=True)
class Place:
    """Whom we talked to: for the text of errors."""

    provider: str
    url: str
    key_variable: str = ""


def fault_of_status(place: Place, model: str, status: int, message: str) -> ModelError:
    """Return the error for an HTTP status of 400 or more."""
    # Some servers repeat the key that they refuse.
    said = SECRETS.hide(message).strip()[:_SHOWN_CHARACTERS] or f"status {status}"
    if status in {401, 403}:
        way_out = f"Check {place.key_variable}." if place.key_variable else "Check its settings."
        return CredentialsRefused(f"{place.url} refuses the credentials: {said} {way_out}")
    if status == 413 or _CONTEXT.search(message):
        return ContextExceeded(
            f"The prompt is too long for {model}: {said} Shorten the request or choose a model "
            "with a longer context."
        )
    if status == 404:
        return ModelNotFound(
            f"{place.url} has no model {model[:100]!r}: {said} See: ./diono models list"
        )
    if status == 429:
        return RateLimited(
            f"{place.url} limits the rate: {said} Wait a little, or choose another model."
        )
    if status >= 500:
        return ProviderFailed(
            f"{place.url} failed with status {status}: {said} Try again, or another model."
        )
    return RequestRefused(f"{place.url} refuses the request: {said}")


def unreachable(place: Place, error: Exception) -> ProviderUnreachable:
    """Return the error for a connection that could not be made."""
    reason = SECRETS.hide(str(error.__cause__ or error)) or type(error).__name__
    return ProviderUnreachable(
        f"{place.provider} at {place.url} cannot be reached: {reason}. Check that it runs and "
        "that the address is right, or choose another model."
    )


def bad_reply(place: Place, error: BaseException) -> BadProviderReply:
    """Return the error for an answer outside the provider's protocol, or a broken stream."""
    reason = (SECRETS.hide(str(error)) or type(error).__name__)[:_SHOWN_CHARACTERS]
    return BadProviderReply(
        f"{place.provider} at {place.url} answered outside its protocol: {reason}. "
        "Try again; if it repeats, check the address and the server's log."
    )
