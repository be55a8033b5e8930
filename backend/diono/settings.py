"""The one reader of the environment. Every variable starts with ``DIONO_``, but for the
well-known names of other tools (OLLAMA_HOST, OPENAI_API_KEY, OPENAI_BASE_URL, ANTHROPIC_API_KEY,
DATABASE_URL, REDIS_URL, S3_URL, SSL_CERT_FILE, XDG_CACHE_HOME), which keep theirs."""

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """All settings, with defaults that are safe for one machine."""

    model_config = SettingsConfigDict(env_prefix="DIONO_", extra="ignore", populate_by_name=True)

    data_dir: Path = REPOSITORY / "workspace" / "projects"
    cache_home: Path = Field(default=Path.home() / ".cache", validation_alias="XDG_CACHE_HOME")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    preview_ports: str = Field(default="8100-8199", pattern=r"^\d+-\d+$")
    allowed_origins: list[str] = Field(
        default_factory=list, description="Exact origins whose pages may call the API."
    )
    trusted_proxies: list[str] = Field(
        default_factory=list, description="Addresses and networks whose X-Forwarded-* count."
    )
    rate_limits: dict[str, str] = Field(
        default_factory=dict, description='Rules to change, such as {"api": "600/minute"}; off.'
    )
    user_projects: int = Field(default=500, ge=1, description="Projects a user may own.")
    user_tasks: int = Field(default=500, ge=1, description="Tasks of a user that have not ended.")
    log_level: str = "INFO"

    master_key: SecretStr = Field(
        default=SecretStr(""), description="Seals secrets at rest; several: the newest first."
    )
    master_key_file: Path | None = Field(default=None, description="Empty: made in data_dir/run.")
    outbound_allow: list[str] = Field(
        default_factory=list, description="Hosts and networks users' URLs may lead to, if private."
    )
    mode: Literal["standard", "production"] = Field(
        default="standard", description="production: does not start with what is unsafe."
    )
    public_url: str = Field(
        default="",
        pattern=r"^$|^https?://[^/\s]+/?$",
        description="Where people reach the dashboard; links in letters begin with it.",
    )
    is_http_allowed: bool = Field(
        default=False,
        validation_alias="DIONO_ALLOW_HTTP",
        description="Production mode over plain http.",
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="Signs tokens; empty: made at the first start."
    )
    secret_key_file: Path | None = Field(default=None, description="A file with that key.")
    smtp_url: SecretStr = Field(
        default=SecretStr(""), description="smtps://user:password@host; empty: no mail is sent."
    )
    mail_from: str = Field(default="", description="The address that letters come from.")
    oidc_issuer: str = Field(default="", pattern=r"^$|^https?://\S+$")
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_title: str = Field(default="", description="What the sign-in button says.")
    audit_days: int = Field(default=365, ge=1, description="Older security events are removed.")

    database_url: str = Field(default="", validation_alias="DATABASE_URL")
    s3_url: str = Field(
        default="",
        validation_alias="S3_URL",
        pattern=r"^$|^s3://[^/@?\s]+(\?\S*)?$",
        description="s3://bucket?endpoint=…&region=…; empty: a folder in data_dir.",
    )
    user_quota_mb: int = Field(
        default=10_240, ge=1, description="Stored files and open uploads of a user's projects."
    )
    file_limit_mb: int = Field(default=5_120, ge=1, description="The largest stored file.")
    redis_url: SecretStr = Field(default=SecretStr(""), validation_alias="REDIS_URL")
    executor_id: str = Field(
        default="", description="Name of this process among workers; empty: made up."
    )
    workflow_database_url: str = Field(
        default="", description="DBOS's own; empty: DATABASE_URL's PostgreSQL, or SQLite."
    )
    workers: Literal["inside", "external", "0"] = Field(
        default="inside", description="Who runs tasks: the server itself, or `diono worker`s."
    )
    parallel_runs: int = Field(default=2, ge=1, description="Runs at a time, of all users.")
    parallel_user_runs: int = Field(default=2, ge=1, description="Runs at a time of one user.")
    worker_runs: int = Field(default=0, ge=0, description="Runs at a time in one process.")
    worker_lost_seconds: float = Field(
        default=30.0, ge=1, description="A worker that is silent for so long has lost its runs."
    )
    summary_tokens: int = Field(
        default=5_000, ge=500, description="Older messages of a longer conversation are summarised."
    )
    prices_file: Path = Field(default=REPOSITORY / "workspace" / "prices.yaml")

    model: str = Field(default="", description="Default model, provider/name; empty: chosen.")
    gguf: Path | None = Field(default=None, description="A GGUF file for the embedded model.")
    ollama_host: str = Field(default="", validation_alias="OLLAMA_HOST")
    openai_base_url: str = Field(default="", validation_alias="OPENAI_BASE_URL")
    openai_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    anthropic_base_url: str = Field(default="", validation_alias="ANTHROPIC_BASE_URL")
    anthropic_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias="ANTHROPIC_API_KEY"
    )
    script: Path | None = Field(default=None, description="Script of the `scripted` model.")
    embeddings: str = Field(
        default="",
        pattern=r"^$|^[^/\s]+/\S+$",
        description="Model of embeddings, provider/name; empty: documents are found by words only.",
    )
    parallel_documents: int = Field(default=1, ge=1, description="Read at a time in one process.")
    model_idle_seconds: float = Field(default=120.0, gt=0)
    model_fit: Literal["auto", "off"] = Field(
        default="auto", description="Whether a model is measured at its first use."
    )

    inspection: bool = Field(
        default=True, description="Whether the files of finished tasks are examined."
    )
    roles_dir: Path | None = Field(
        default=None, description="Users' roles of the team, beside workspace/roles."
    )
    workflows_dir: Path | None = Field(
        default=None, description="Users' workflows of the team, beside workspace/workflows."
    )
    graphs_dir: Path | None = Field(
        default=None, description="LangGraph graphs, run with the server's rights; empty: none."
    )
    tools_dir: Path = Field(
        default=REPOSITORY / "workspace" / "tools", description="Users' tools for the chat."
    )
    search_url: str = Field(
        default="",
        pattern=r"^$|^https?://\S+$",
        description="A search service for the chat's agent (SearXNG's JSON); empty: no search.",
    )
    runners_dir: Path | None = Field(
        default=None, description="Agent runners, run with the server's rights; empty: none."
    )

    server_url: str = Field(
        default="", validation_alias="DIONO_URL", description="Command line: a server elsewhere."
    )
    server_token: SecretStr = Field(default=SecretStr(""), validation_alias="DIONO_TOKEN")

    docker_host: str = Field(default="", validation_alias="DOCKER_HOST")
    sandbox_listen: str = Field(
        default="127.0.0.1:8090",
        pattern=r"^$|^[^\s/]+:\d{1,5}$",
        description="HOST:PORT of the E2B wire; empty: the unix socket only.",
    )
    sandbox_domain: str = Field(default="", description="Sandboxes' ports are PORT-ID.domain.")
    sandbox_url: str = Field(default="", description="A sandbox service elsewhere.")
    sandbox_key: SecretStr = Field(default=SecretStr(""), description="A key of that service.")
    sandbox_runtime: str = "runc"
    sandbox_quota: Literal["auto", "loop", "volume"] = "auto"
    sandbox_owner_quota: int = Field(default=4, ge=1, description="Running sandboxes a user.")
    sandbox_total_quota: int = Field(default=10, ge=1, description="Running sandboxes in all.")
    sandbox_queue_seconds: float = Field(default=30.0, ge=0)
    sandbox_idle_seconds: float = Field(default=500.0, gt=0)
    sandbox_max_age_seconds: float = Field(default=900.0, gt=0)
    sandbox_pool_size: int = Field(default=1, ge=0, description="Warm machines a template.")
    sandbox_registries: list[str] = Field(
        default_factory=lambda: ["pypi.org", "files.pythonhosted.org", "registry.npmjs.org"]
    )
    extra_ca_file: Path | None = Field(default=None, validation_alias="SSL_CERT_FILE")

    @cached_property
    def cache_dir(self) -> Path:
        return self.cache_home / "diono"

    @cached_property
    def models_dir(self) -> Path:
        return self.cache_dir / "models"
