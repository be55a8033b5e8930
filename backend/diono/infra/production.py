"""What production mode does not start with. Everything that is wrong is said at once."""

import ipaddress
from collections.abc import Generator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from diono.infra.tokens import PLACEHOLDERS
from diono.kernel.errors import InvalidInput
from diono.settings import Settings

MIN_PASSWORD_LENGTH = 12
# Passwords that images, guides and compose files come with, beside what `PLACEHOLDERS` has in it.
DEFAULTS = frozenset(
    {"admin", "administrator", "diono", "guest", "minioadmin", "postgres", "postgresql", "redis",
     "root", "test", "user", "letmein", "qwerty"}
)  # fmt: skip
OTHERS_MAY = 0o077


class UnsafeSettings(InvalidInput):
    code = "unsafe_settings"


def check_production(settings: Settings) -> None:
    """Raises UnsafeSettings, in production mode."""
    if settings.mode != "production":
        return
    problems = [*_secrets(settings), *_addresses(settings), *_options(settings)]
    if problems:
        listed = "".join(f"\n- {problem}" for problem in problems)
        raise UnsafeSettings(f"Production mode (DIONO_MODE) does not start like this:{listed}")


def _secrets(settings: Settings) -> Generator[str]:
    urls = {
        "DATABASE_URL": settings.database_url,
        "DIONO_WORKFLOW_DATABASE_URL": settings.workflow_database_url,
        "REDIS_URL": settings.redis_url.get_secret_value(),
    }
    for name, url in urls.items():
        parts = urlsplit(url)
        # A password to one's own machine's socket or loopback may be no password at all.
        is_near = not parts.hostname or _is_loopback(parts.hostname)
        yield from _weak(f"the password in {name}", _password(url), is_needed=not is_near)
    smtp = settings.smtp_url.get_secret_value()
    yield from _weak("the password in DIONO_SMTP_URL", _password(smtp), is_needed=False)
    for name, value in (
        ("DIONO_OIDC_CLIENT_SECRET", settings.oidc_client_secret),
        ("DIONO_SANDBOX_KEY", settings.sandbox_key),
    ):
        yield from _weak(name, value.get_secret_value(), is_needed=False)
    files = (
        settings.secret_key_file or settings.data_dir / "run" / "signing.key",
        settings.master_key_file or settings.data_dir / "run" / "master.key",
    )
    yield from (
        f"{path} can be read by others: `chmod 600` it." for path in files if _is_open(path)
    )


def _weak(name: str, secret: str, *, is_needed: bool) -> Generator[str]:
    lowered = secret.lower()
    if not secret:
        if is_needed:
            yield f"{name} is missing: set one."
    elif lowered in DEFAULTS or any(word in lowered for word in PLACEHOLDERS):
        yield f"{name} is a default or a placeholder: choose a random one."
    elif len(secret) < MIN_PASSWORD_LENGTH:
        yield f"{name} is short: use at least {MIN_PASSWORD_LENGTH} random characters."


def _password(url: str) -> str:
    return unquote(urlsplit(url).password or "")


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & OTHERS_MAY)
    except FileNotFoundError:
        return False


def _addresses(settings: Settings) -> Generator[str]:
    may_be_plain = settings.is_http_allowed
    if not settings.public_url:
        yield "DIONO_PUBLIC_URL is missing: set the https address that people use."
    elif settings.public_url.startswith("http://") and not may_be_plain:
        yield (
            "DIONO_PUBLIC_URL is plain http, so passwords travel in the open: use https, or say "
            "DIONO_ALLOW_HTTP=true if something else encrypts."
        )
    if settings.oidc_issuer.startswith("http://"):
        yield "DIONO_OIDC_ISSUER is plain http: use the provider's https address."
    smtp = urlsplit(settings.smtp_url.get_secret_value())
    if smtp.scheme == "smtp+plain" and not _is_loopback(smtp.hostname or ""):
        yield "DIONO_SMTP_URL sends letters unencrypted to another machine: use smtps:// or smtp://"
    listens = settings.sandbox_listen.rpartition(":")[0].strip("[]")
    if listens and not _is_loopback(listens) and not may_be_plain:
        yield (
            "DIONO_SANDBOX_LISTEN offers the sandbox service in plain http to other machines: "
            "listen on 127.0.0.1 behind a proxy, or say DIONO_ALLOW_HTTP=true."
        )
    if settings.sandbox_url.startswith("http://") and not (
        may_be_plain or _is_loopback(urlsplit(settings.sandbox_url).hostname or "")
    ):
        yield "DIONO_SANDBOX_URL is plain http: use https, or say DIONO_ALLOW_HTTP=true."


def _options(settings: Settings) -> Generator[str]:
    yield from _callers(settings)
    for rule in ("address", "sign_in", "registration", "recovery"):
        if settings.rate_limits.get(rule) == "off":
            yield f"DIONO_RATE_LIMITS switches the rule {rule!r} off: leave it on."
    if settings.script is not None:
        yield "DIONO_SCRIPT is the model of tests and demos: leave it out."
    if settings.sandbox_quota == "volume":
        yield "DIONO_SANDBOX_QUOTA=volume bounds disks weakly: use `auto` or `loop`."
    if settings.log_level.upper() in {"TRACE", "DEBUG"}:
        yield "DIONO_LOG_LEVEL shows what users write: use INFO."


def _callers(settings: Settings) -> Generator[str]:
    for origin in settings.allowed_origins:
        if "*" in origin or origin == "null":
            yield f"DIONO_ALLOWED_ORIGINS lets any page in ({origin}): name the origins."
        elif origin.startswith("http://") and not settings.is_http_allowed:
            yield f"DIONO_ALLOWED_ORIGINS has a page over plain http ({origin}): use https."
    for network in settings.trusted_proxies:
        if network.strip() == "*" or network.endswith("/0"):
            yield "DIONO_TRUSTED_PROXIES trusts every client's X-Forwarded-For: name the proxies."


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
