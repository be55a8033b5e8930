"""The one place that every request passes before it is sent."""

from math import ceil

from diono.llm.counting import estimated_prompt_tokens
from diono.llm.errors import ContextExceeded, RequestRefused
from diono.llm.fit.report import ModelFit
from diono.llm.port import ChatRequest, ModelProfile

_LEAST_ANSWER_TOKENS = 32


def prompt_tokens_of(request: ChatRequest, fit: ModelFit) -> int:
    """Return about how many tokens this model will count for a request's prompt."""
    return ceil(estimated_prompt_tokens(request) * fit.token_ratio)


def allowed_request(request: ChatRequest, profile: ModelProfile, fit: ModelFit) -> ChatRequest:
    """Return the request as it may be sent: prompt and answer within the window, no switch that
    the model lacks.

    Raises ContextExceeded if there is no place for prompt and answer, and RequestRefused for
    tools to a model without them.
    """
    if request.tools and profile.supports_tools is False:
        raise RequestRefused(
            "This model cannot call tools. Let it write its calls between tags or as code (see "
            "`diono models fit`), or choose another model."
        )
    changes: dict[str, object] = {}
    if request.thinking is not None and profile.supports_thinking is False:
        changes["thinking"] = None
    prompt_tokens = prompt_tokens_of(request, fit)
    room = fit.window - prompt_tokens
    if room < min(request.max_tokens, _LEAST_ANSWER_TOKENS):
        raise ContextExceeded(
            f"The prompt has about {prompt_tokens} tokens; the model takes {fit.window} with its "
            f"answer. It was not sent. Shorten it to {max(fit.prompt_budget, 0)} tokens, or choose "
            "a model with a longer context (`diono models fit` shows each one's)."
        )
    if room < request.max_tokens:
        changes["max_tokens"] = room
    return request.model_copy(update=changes) if changes else request
