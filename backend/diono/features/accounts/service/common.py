"""What the parts of the service share."""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from diono.features.accounts.errors import EmailWrong, UsernameWrong
from diono.features.audit.service import Audit
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.infra.mail import Mailer
from diono.infra.passwords import Passwords
from diono.infra.tokens import TokenSigner

SECRET_BYTES = 32
NAME_LENGTH = 64
EMAIL_LENGTH = 254
AGENT_LENGTH = 200
_NAME = re.compile(r"\w[\w.@+-]*")
# Anything that a mail server might take, and nothing that ends a header or a list.
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"\\]+@[^\s@<>()\[\],;:\"\\]+")


@dataclass(frozen=True)
class Client:
    """Where a request comes from."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Ground:
    """What accounts stand on. ``base_url`` is where people reach the dashboard; ``changed`` is
    told of a user whose rights or sessions are others now."""

    database: Database
    signer: TokenSigner
    clock: Clock
    audit: Audit
    mailer: Mailer
    passwords: Passwords
    base_url: str
    changed: Callable[[str], None]


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_of(secret: str) -> str:
    """Of a long random secret; no salt and no slow hash are needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def new_username(text: str) -> str:
    """Return a name as it is kept: names that look alike are one. Raises UsernameWrong."""
    name = unicodedata.normalize("NFKC", text).casefold().strip()
    if len(name) > NAME_LENGTH or not _NAME.fullmatch(name):
        raise UsernameWrong(
            f"A user name has up to {NAME_LENGTH} letters, digits and . _ - + @, and begins with a "
            "letter or digit."
        )
    return name


def usernames(text: str) -> tuple[str, ...]:
    """Return the names that somebody who types this may have."""
    if "\x00" in text:
        return ()
    return text, unicodedata.normalize("NFKC", text).casefold().strip()


def clean_email(text: str) -> str:
    """Raises EmailWrong."""
    email = unicodedata.normalize("NFKC", text).strip().lower()
    if len(email) > EMAIL_LENGTH or not _EMAIL.fullmatch(email) or not email.isprintable():
        raise EmailWrong("This is no e-mail address: name@host is.")
    return email
