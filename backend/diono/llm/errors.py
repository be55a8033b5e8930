"""What can go wrong between Diono and a model; each detail names the way out."""

from diono.kernel.errors import DionoError, ErrorKind


class ModelError(DionoError):
    """Base of the errors of this layer."""

    code = "model_error"
    kind = ErrorKind.UNAVAILABLE


class ModelNotFound(ModelError):
    code = "model_not_found"
    kind = ErrorKind.NOT_FOUND


class NoModelAvailable(ModelError):
    code = "no_model_available"


class ProviderUnreachable(ModelError):
    code = "provider_unreachable"


class ProviderTimeout(ModelError):
    """No token arrived for the idle time-out."""

    code = "provider_timeout"


class RateLimited(ModelError):
    code = "provider_rate_limited"
    kind = ErrorKind.TOO_MANY


class ProviderFailed(ModelError):
    """The provider answered with an error of its own."""

    code = "provider_failed"


class BadProviderReply(ModelError):
    """The provider's answer was not in its own protocol, or it ended too early."""

    code = "bad_provider_reply"


class ContextExceeded(ModelError):
    code = "context_exceeded"
    kind = ErrorKind.TOO_LARGE


class PromptCut(ContextExceeded):
    """The server cut the prompt without saying so; ``read_tokens`` is what it did read."""

    code = "prompt_cut"

    def __init__(self, detail: str, read_tokens: int = 0) -> None:
        super().__init__(detail)
        self.read_tokens = read_tokens


class CredentialsRefused(ModelError):
    code = "provider_credentials_refused"


class RequestRefused(ModelError):
    """The provider understood the request and refuses it (a bad schema, for example)."""

    code = "model_request_refused"
    kind = ErrorKind.INVALID


class AcquisitionFailed(ModelError):
    """The weights of a model could not be fetched or did not verify."""

    code = "model_acquisition_failed"
