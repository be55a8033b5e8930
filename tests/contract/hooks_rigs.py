"""A receiver of webhooks on a real socket, and what delivers to it, in small time."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from diono.features.accounts.tables import User
from diono.features.hooks.schemas import CreateWebhook
from diono.features.hooks.service import Deliverer, Patience, Tools, Webhooks, Who
from diono.features.hooks.tables import Delivery
from diono.features.projects.tables import Project
from diono.infra.bus import MemoryBus
from diono.infra.clock import SystemClock
from diono.infra.database import Database
from diono.infra.mail import NoMailer
from diono.infra.outbound import Outbound, OutboundPolicy
from diono.infra.outbox import OUTBOX_TOPIC, announce
from diono.infra.sealing import FixedKeyring, MasterKey, Sealer
from diono.kernel.ids import new_id

QUICK = Patience(
    timeout_seconds=0.5, lease_seconds=1.0, first_seconds=0.05, factor=1.5, tries=4,
    disable_seconds=3600,
)  # fmt: skip


@dataclass
class Message:
    headers: dict[str, str]
    body: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def is_signed_with(self, secret: str) -> bool:
        """Check as a receiver that knows nothing of our code would."""
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.{self.body}".encode()
        key = base64.b64decode(secret.split("_", 1)[1])
        mine = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return self.headers["webhook-signature"] == f"v1,{mine}"


@dataclass
class Receiver:
    """Answers what stands first in ``script``, then 200: a status, or hang, cut, redirect."""

    script: list[str] = field(default_factory=list[str])
    extra: str = ""
    got: list[Message] = field(default_factory=list[Message])
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            rows = [row.split(": ", 1) for row in head.split("\r\n")[1:] if row]
            headers = {name.lower(): value for name, value in rows}
            body = (await reader.readexactly(int(headers["content-length"]))).decode()
            async with self.arrived:
                self.got.append(Message(headers, body))
                self.arrived.notify_all()
            await self._answer(writer, self.script.pop(0) if self.script else "200")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, what: str) -> None:
        if what == "hang":
            await asyncio.sleep(5)
        elif what == "cut":
            writer.write(b"HTTP/1.1 2")
        else:
            status = (
                "302 Found\r\nLocation: http://169.254.169.254/" if what == "redirect" else what
            )
            text = "seen, thank you"
            writer.write(
                f"HTTP/1.1 {status}{'' if ' ' in status else ' X'}\r\n{self.extra}"
                f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}".encode()
            )
            await writer.drain()

    async def wait_for(self, count: int, seconds: float = 10.0) -> list[Message]:
        async with asyncio.timeout(seconds), self.arrived:
            await self.arrived.wait_for(lambda: len(self.got) >= count)
        return self.got


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://localhost:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        # Connections that hang on purpose are not waited for.
        server.close()


class PostOffice:
    """One process that delivers; several share a database."""

    def __init__(self, database: Database, patience: Patience = QUICK, mailer: Any = None) -> None:
        self.database = database
        self.bus = MemoryBus()
        self.key = MasterKey(b"0123456789abcdefghijklmnopqrstuv")
        self.tools = Tools(
            database=database,
            bus=self.bus,
            sealer=Sealer(FixedKeyring((self.key,))),
            outbound=Outbound(OutboundPolicy.of(["localhost"])),
            mailer=mailer or NoMailer(),
            clock=SystemClock(),
        )
        self.deliverer = Deliverer(self.tools, patience)
        self.webhooks = Webhooks(self.tools, self.deliverer)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["PostOffice"]:
        keeper = asyncio.create_task(self.deliverer.keep())
        try:
            yield self
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    async def owner_and_project(self) -> tuple[str, str]:
        owner_id, project_id = new_id("usr"), new_id("prj")
        now = self.tools.clock.now()
        async with self.database.write() as session:
            # Without a password: hashing one takes longer than the test.
            session.add(User(user_id=owner_id, username=owner_id, password_hash="", created_at=now))
            await session.flush()
            session.add(
                Project(
                    project_id=project_id, owner_id=owner_id, name="P", created_at=now,
                    status="active", updated_at=now,
                )
            )  # fmt: skip
        return owner_id, project_id

    async def add(
        self, project_id: str | None, url: str, events: list[Any] | None = None
    ) -> tuple[str, str]:
        """Return (id, secret) of a new webhook."""
        wanted = CreateWebhook(name="Test", url=url, events=events or [])
        made = await self.webhooks.add(project_id, wanted, Who("usr_1"))
        return made.webhook_id, made.secret

    async def happen(
        self, project: str, kind: str = "task.succeeded", user_id: str | None = None,
        **data: Any,
    ) -> None:  # fmt: skip
        async with self.database.write() as session:
            now = self.tools.clock.now()
            told = {"project_id": project, **data}
            announce(session, kind, told, now, project_id=project, user_id=user_id)
        self.bus.publish(OUTBOX_TOPIC)

    async def rows(self, project_id: str) -> list[Delivery]:
        async with self.database.read() as session:
            mine = Delivery.body.contains(project_id)
            return list(await session.scalars(select(Delivery).where(mine)))

    async def ended(self, project_id: str, count: int = 1, seconds: float = 10.0) -> list[Delivery]:
        """Wait until so many deliveries of the project have ended, and return these."""

        def are_enough(rows: list[Delivery]) -> bool:
            return sum(row.state != "waiting" for row in rows) >= count

        rows = await self.when(project_id, are_enough, seconds)
        return [row for row in rows if row.state != "waiting"]

    async def when(
        self, project_id: str, is_so: Callable[[list[Delivery]], bool], seconds: float = 10.0
    ) -> list[Delivery]:
        """Wait until the project's deliveries are as they should be, and return them."""
        with self.bus.subscribe(OUTBOX_TOPIC) as subscription:
            async with asyncio.timeout(seconds):
                while not is_so(rows := await self.rows(project_id)):
                    # Other processes tell nothing here.
                    await subscription.wait(0.05)
        return rows


def data_of(message: Message) -> Any:
    return json.loads(message.body)["data"]
