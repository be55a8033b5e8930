"""What can go wrong with providers that people add."""

from diono.kernel.errors import Conflict, InvalidInput, NotFound
from diono.llm.errors import ModelError


class ProviderNotFound(NotFound):
    code = "provider_not_found"


class ProviderNameTaken(Conflict):
    code = "provider_name_taken"


class ProviderInUse(Conflict):
    code = "provider_in_use"


class TooManyProviders(Conflict):
    code = "too_many_providers"


class KeyNeeded(InvalidInput):
    code = "provider_key_needed"


class ProviderKeyUnreadable(ModelError):
    """The stored key does not open: another master key, or a changed database."""

    code = "provider_key_unreadable"
