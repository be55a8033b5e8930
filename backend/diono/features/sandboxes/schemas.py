"""What clients send and get about sandboxes and the keys of the E2B wire."""

from pydantic import BaseModel, Field

from diono.sandbox.keyring import RunningSandbox, SandboxKey
from diono.sandbox.scopes import Scope

KEY_NAME_LENGTH = 80


class NewSandboxKey(BaseModel):
    name: str = Field(
        default="", max_length=KEY_NAME_LENGTH, examples=["my laptop"], description="For you."
    )
    scopes: tuple[Scope, ...] = Field(
        default=(Scope.SANDBOX, Scope.TEMPLATES),
        min_length=1,
        description="What the key may do; `admin` is not for users.",
    )
    expires_in_days: int | None = Field(default=None, ge=1, le=3650)


class IssuedSandboxKey(SandboxKey):
    key: str = Field(description="The key itself, shown this once.")
    environment: dict[str, str] = Field(
        description="What the official E2B SDKs need in their environment."
    )


class SandboxKeyList(BaseModel):
    items: list[SandboxKey]


class SandboxList(BaseModel):
    items: list[RunningSandbox]
