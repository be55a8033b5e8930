"""Accounts on a database of their own, with a clock that is held and letters that arrive."""

import asyncio
import email
import email.policy
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select, text

from diono.features.accounts.schemas import CreateUser, Role, SessionTokens, UserInfo
from diono.features.accounts.service import Accounts, Client, Surroundings
from diono.features.accounts.tables import User
from diono.features.audit.schemas import AuditEntry, AuditFilter
from diono.infra.database import Database
from diono.infra.mail import mailer_of
from diono.infra.migrations import migrate
from diono.infra.tokens import TokenSigner
from diono.kernel.ids import new_id

PASSWORD = "correct horse battery"
HERE = Client("203.0.113.7", "tests")
ELSEWHERE = Client("198.51.100.9", "elsewhere")
SECRET = "k7Q2-mX9_pL4.vT8/wZ1+rN6=bH3~cY5"


class HeldClock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)
        self.start = self.time

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - self.start).total_seconds()

    def go(self, span: timedelta) -> None:
        self.time += span


@dataclass
class Postbox:
    """A mail server that keeps what comes; ``url`` is DIONO_SMTP_URL."""

    url: str = ""
    letters: list[email.message.EmailMessage] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        letter = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(letter, email.message.EmailMessage)
        self.letters.append(letter)
        return "250 OK"

    def to(self, address: str) -> list[email.message.EmailMessage]:
        return [letter for letter in self.letters if letter["To"] == address]

    def secret(self, address: str) -> str:
        """Return what the link of the last letter to an address has behind its #."""
        found = re.search(r"https?://\S+#(\S+)", self.to(address)[-1].get_content())
        assert found is not None
        return found[1]


@asynccontextmanager
async def postbox() -> AsyncGenerator[Postbox]:
    box = Postbox()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, enable_SMTPUTF8=True), "127.0.0.1", 0
    )
    box.url = f"smtp+plain://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield box


@dataclass
class Town:
    """Accounts of one database."""

    database: Database
    accounts: Accounts
    clock: HeldClock
    box: Postbox

    async def user(self, role: Role = Role.DEVELOPER, **more: Any) -> UserInfo:
        """Add a user, without a password unless one is given: that takes no time."""
        request = CreateUser(username=new_id("u"), role=role, **more)
        return await self.accounts.people.create(request, None, HERE)

    async def verified(self, address: str) -> UserInfo:
        user = await self.user(email=address)
        async with self.database.write() as session:
            row = await session.get(User, user.user_id)
            assert row is not None
            row.is_email_verified = True
        return user

    async def session(self, user: UserInfo, client: Client = HERE) -> SessionTokens:
        return await self.accounts.sessions.open(user.user_id, "password", client)

    async def events(self, user_id: str, event: str = "") -> list[AuditEntry]:
        wanted = AuditFilter(user_id=user_id, event=event)
        return (await self.accounts.audit.read(wanted)).items

    async def users(self) -> list[User]:
        async with self.database.read() as session:
            return list(await session.scalars(select(User)))


async def migrated(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()


async def copied(url: str, name: str, base: str = "template1") -> None:
    """Make another database in a PostgreSQL cluster."""
    database = Database(url)
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {base}"))
    await database.close()


@asynccontextmanager
async def town_on(url: str, box: Postbox) -> AsyncGenerator[Town]:
    database, clock = Database(url), HeldClock()
    around = Surroundings(mailer_of(box.url, "Diono <diono@example.org>"), "https://d.example.org")
    accounts = Accounts(database, TokenSigner(SECRET), clock, around)
    yield Town(database, accounts, clock, box)
    await accounts.close()
    await database.close()
