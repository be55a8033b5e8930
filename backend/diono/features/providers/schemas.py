"""What clients send and get about language-model providers."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator

ProviderKind = Literal["openai-compatible", "anthropic", "ollama"]
HolderKind = Literal["user", "project", "installation"]
RESERVED = frozenset({"ollama", "openai", "anthropic", "embedded", "scripted", "diono"})
KEY_LENGTH = 4_000

ProviderName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,38}$")]
BaseUrl = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)]
ModelPattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Patterns = Annotated[list[ModelPattern], Field(max_length=50)]
Key = Annotated[SecretStr, Field(max_length=KEY_LENGTH)]


class CreateProvider(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "work",
                    "kind": "openai-compatible",
                    "base_url": "https://openrouter.ai/api/v1",
                    "key": "sk-…",
                    "models": ["qwen/*"],
                }
            ]
        }
    )

    name: ProviderName = Field(description="Models are then called NAME/MODEL.")
    kind: ProviderKind
    base_url: BaseUrl = Field(default="", description="Empty: OpenAI's or Anthropic's own.")
    key: Key | None = Field(default=None, description="Kept sealed; it is never shown again.")
    models: Patterns = Field(
        default_factory=list[str], description="Which models to offer; `*` stands for any text."
    )

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in RESERVED:
            raise ValueError(f"{name} is a name of Diono's own; take another one")
        return name


class CreateOwnProvider(CreateProvider):
    is_for_all: bool = Field(default=False, description="Of the installation; for admins only.")


class ChangeProvider(BaseModel):
    """What is left out stays as it is. A new address needs the key anew."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"models": ["qwen/*"]}]})

    base_url: BaseUrl | None = None
    key: Key | None = Field(default=None, description="Empty text removes it.")
    models: Patterns | None = None


class TryProvider(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"model": None}]})

    model: str | None = Field(
        default=None, max_length=200, description="Default: a good one of it."
    )


class ProviderTest(BaseModel):
    """What a try showed. ``code`` is empty if all is well, else stable; ``detail`` says what is
    wrong, and the way out."""

    is_ok: bool
    code: str
    detail: str
    warnings: list[str] = Field(default_factory=list[str])
    models: list[str] = Field(default_factory=list[str], description="At most 200 names.")
    model: str | None = Field(default=None, description="The one that was asked.")
    answer: str = Field(default="", description="What it said, shortened.")
    list_seconds: float | None = None
    chat_seconds: float | None = None


class ProviderInfo(BaseModel):
    """A provider without its key: that is never told again."""

    provider_id: str
    held_by: HolderKind
    name: str
    kind: ProviderKind
    base_url: str = Field(description="Empty where it is the admins' and you are none.")
    has_key: bool
    key_hint: str = Field(description="The key's last characters.")
    models: list[str]
    created_at: datetime
    tested_at: datetime | None
    test: ProviderTest | None = Field(description="What the last try showed.")


class ProviderList(BaseModel):
    items: list[ProviderInfo] = Field(
        description="In the order in which a model is chosen where none is named."
    )
