"""What each part of the server is told, from the settings."""

import importlib
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from diono.infra.database import sqlite_url
from diono.infra.mail import Mailer, mailer_of
from diono.infra.master_key import MasterKeyPlace
from diono.infra.outbound import Outbound, OutboundPolicy
from diono.infra.production import check_production
from diono.infra.redaction import SECRETS
from diono.infra.tokens import check_secret, load_secret
from diono.kernel.errors import InvalidInput
from diono.llm.catalog import ModelCatalog
from diono.llm.embedding import Embedder
from diono.llm.providers import LlmConfig
from diono.sandbox.config import RemoteServer, SandboxConfig
from diono.settings import Settings

if TYPE_CHECKING:
    from diono.infra.web_search import WebSearch


def database_url(settings: Settings) -> str:
    return settings.database_url or sqlite_url(settings.data_dir / "diono.sqlite")


def workflow_database(settings: Settings) -> Path | str:
    """Where durable runs are recorded: a file, or a URL without a driver's name in it."""
    if settings.workflow_database_url:
        return settings.workflow_database_url
    if settings.database_url.startswith("postgresql"):
        return settings.database_url.replace("+asyncpg", "", 1)
    return settings.data_dir / "workflows.sqlite"


def executor_id(settings: Settings) -> str:
    """Return the name of this process. On SQLite there is one at a time, which finds its own runs
    again by its name; among several a name made up is safe, for the others take over."""
    if settings.executor_id:
        return settings.executor_id
    if isinstance(workflow_database(settings), str):
        return f"{socket.gethostname()}-{os.getpid()}"
    return "local"


class WorkersNeedPostgres(InvalidInput):
    code = "workers_need_postgres"


def check_shared(settings: Settings) -> None:
    """Refuse workers where the server and they could not share their work. Raises
    WorkersNeedPostgres."""
    urls = (settings.database_url, workflow_database(settings))
    if not all(str(url).startswith("postgresql") for url in urls):
        raise WorkersNeedPostgres(
            "Workers and the server share their work by PostgreSQL: set DATABASE_URL to the same "
            "postgresql+asyncpg://… for all of them. On SQLite the server runs the tasks itself "
            "(DIONO_WORKERS=inside, the default)."
        )


def token_secret(settings: Settings) -> str:
    """Return what tokens are signed with: the operator's key, or one made at the first start.
    Raises SecretWeak, OSError."""
    if settings.secret_key.get_secret_value():
        return check_secret(settings.secret_key.get_secret_value(), "DIONO_SECRET_KEY")
    if settings.secret_key_file is not None:
        return check_secret(settings.secret_key_file.read_text().strip(), "DIONO_SECRET_KEY_FILE")
    return load_secret(settings.data_dir / "run" / "signing.key")


def check_start(settings: Settings) -> None:
    """Look at what a server or worker would start with. Raises SecretWeak, MailSettingsWrong,
    UnsafeSettings, OSError."""
    token_secret(settings)
    mailer(settings)
    check_production(settings)


def public_url(settings: Settings) -> str:
    """Return where people reach the dashboard."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def mailer(settings: Settings) -> Mailer:
    """Raises MailSettingsWrong."""
    ca_file = str(settings.extra_ca_file) if settings.extra_ca_file else None
    return mailer_of(settings.smtp_url.get_secret_value(), settings.mail_from, ca_file)


def llm_config(settings: Settings) -> LlmConfig:
    return LlmConfig(
        models_dir=settings.models_dir,
        gguf=settings.gguf,
        ollama_host=settings.ollama_host,
        openai_base_url=settings.openai_base_url,
        openai_api_key=settings.openai_api_key.get_secret_value(),
        anthropic_base_url=settings.anthropic_base_url,
        anthropic_api_key=settings.anthropic_api_key.get_secret_value(),
        script=settings.script,
        idle_seconds=settings.model_idle_seconds,
    )


def master_key_place(settings: Settings) -> MasterKeyPlace:
    return MasterKeyPlace(
        given=settings.master_key.get_secret_value(),
        given_file=settings.master_key_file,
        own_file=settings.data_dir / "run" / "master.key",
    )


def outbound_of(settings: Settings) -> Outbound:
    """Raises InvalidInput for an entry of DIONO_OUTBOUND_ALLOW that is none."""
    return Outbound(OutboundPolicy.of(settings.outbound_allow))


def hide_secrets(settings: Settings) -> None:
    """Let the log know which values it must not show."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            SECRETS.add(value.get_secret_value())


def sandbox_config(settings: Settings) -> SandboxConfig:
    return SandboxConfig(
        state_dir=settings.data_dir / "sandbox",
        docker_host=settings.docker_host,
        runtime=settings.sandbox_runtime,
        extra_ca_file=settings.extra_ca_file,
        quota=settings.sandbox_quota,
        owner_quota=settings.sandbox_owner_quota,
        total_quota=settings.sandbox_total_quota,
        queue_seconds=settings.sandbox_queue_seconds,
        pool_size=settings.sandbox_pool_size,
        listen=settings.sandbox_listen,
        domain=settings.sandbox_domain,
        registries=tuple(settings.sandbox_registries),
    )


def sandbox_server(settings: Settings) -> RemoteServer:
    """Where sandboxes come from: a service elsewhere if one is set, else this machine's own."""
    if settings.sandbox_url:
        return RemoteServer(settings.sandbox_url, settings.sandbox_key.get_secret_value())
    config = sandbox_config(settings)
    return RemoteServer(str(config.socket), config.admin_key_file, is_diono=True)


def public_sandbox_url(settings: Settings) -> str:
    if settings.sandbox_url or not settings.sandbox_listen:
        return settings.sandbox_url
    return f"http://{settings.sandbox_listen}"


def web_search(settings: Settings) -> "WebSearch | None":
    """Return the search of the chat's agent, if the operator set one up. Blocks for its import."""
    if not settings.search_url:
        return None
    module = importlib.import_module("diono.infra.web_search")
    return module.WebSearch(settings.search_url)


def embedder_of(settings: Settings, catalog: ModelCatalog) -> Embedder | None:
    """Return the model of embeddings, if the operator chose one."""
    return Embedder(catalog, settings.embeddings) if settings.embeddings else None
