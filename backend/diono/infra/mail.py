"""Letters to users: by SMTP, or not at all."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Protocol
from urllib.parse import unquote, urlsplit

from diono.kernel.errors import DionoError, ErrorKind, InvalidInput

TIMEOUT_SECONDS = 20.0
SMTPS_PORT = 465
SUBMISSION_PORT = 587


class MailFailed(DionoError):
    code = "mail_failed"
    kind = ErrorKind.UNAVAILABLE


class MailSettingsWrong(InvalidInput):
    code = "mail_settings_wrong"


class Mailer(Protocol):
    @property
    def is_on(self) -> bool:
        """Whether letters are sent at all."""
        ...

    async def send(self, to: str, subject: str, text: str) -> None:
        """Send a letter of plain text to one address. Raises MailFailed."""
        ...


class NoMailer:
    """Without mail an admin hands links over."""

    is_on = False

    async def send(self, to: str, subject: str, text: str) -> None:
        raise MailFailed(
            "This installation sends no mail. Its operator sets DIONO_SMTP_URL; until then an "
            "admin makes the link and hands it over."
        )


@dataclass(frozen=True)
class SmtpServer:
    """``is_encrypted_first``: TLS from the first byte; else STARTTLS, unless switched off."""

    host: str
    port: int
    username: str
    password: str
    is_encrypted_first: bool
    is_plain: bool

    @classmethod
    def from_url(cls, url: str) -> "SmtpServer":
        """Read ``smtps://user:password@host:465``, ``smtp://…`` (STARTTLS) or ``smtp+plain://…``.
        Raises MailSettingsWrong."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in {"smtp", "smtps", "smtp+plain"} or not parts.hostname or port == 0:
            raise MailSettingsWrong(
                "DIONO_SMTP_URL is smtps://user:password@host, smtp://… (STARTTLS), or "
                "smtp+plain://… for a server on this machine."
            )
        is_first = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=port or (SMTPS_PORT if is_first else SUBMISSION_PORT),
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            is_encrypted_first=is_first,
            is_plain=parts.scheme == "smtp+plain",
        )


class SmtpMailer:
    is_on = True

    def __init__(self, server: SmtpServer, sender: str, ca_file: str | None = None) -> None:
        """``sender``: an address, or ``Name <address>``. ``ca_file``: certificates to trust."""
        self._server = server
        self._sender = sender
        self._ca_file = ca_file

    async def send(self, to: str, subject: str, text: str) -> None:
        letter = EmailMessage()
        try:
            letter["From"] = self._sender
            letter["To"] = Address(addr_spec=to)
            letter["Subject"] = " ".join(subject.split())
        except (ValueError, IndexError) as error:
            raise MailFailed(f"The letter cannot be addressed: {error}.") from error
        letter["Date"] = formatdate(localtime=False)
        letter["Message-ID"] = make_msgid(domain=self._server.host)
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(text)
        try:
            await asyncio.to_thread(self._deliver, letter)
        except (OSError, smtplib.SMTPException) as error:
            raise MailFailed(
                f"The mail server {self._server.host} did not take the letter: "
                f"{type(error).__name__}. The server's operator finds more in its log."
            ) from error

    def _deliver(self, letter: EmailMessage) -> None:
        server, context = self._server, ssl.create_default_context(cafile=self._ca_file)
        with self._connection(context) as connection:
            if not (server.is_encrypted_first or server.is_plain):
                connection.starttls(context=context)
            if server.username:
                connection.login(server.username, server.password)
            connection.send_message(letter)

    def _connection(self, context: ssl.SSLContext) -> smtplib.SMTP:
        host, port = self._server.host, self._server.port
        if self._server.is_encrypted_first:
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
        return smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)


def mailer_of(smtp_url: str, sender: str, ca_file: str | None = None) -> Mailer:
    """Return the mailer that the settings name. Raises MailSettingsWrong."""
    if not smtp_url:
        return NoMailer()
    if "@" not in sender:
        raise MailSettingsWrong(
            "DIONO_SMTP_URL is set; also set DIONO_MAIL_FROM, the address letters come from."
        )
    return SmtpMailer(SmtpServer.from_url(smtp_url), sender, ca_file)
