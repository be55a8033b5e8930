"""Links to download one content of one file, for a time and without a session."""

from collections.abc import Sequence
from datetime import timedelta

from diono.features.audit.service import Audit
from diono.features.files import store
from diono.features.files.errors import LinkRefused
from diono.features.files.schemas import FileInfo, LinkInfo
from diono.features.files.service.files import Files
from diono.features.files.tables import FileLink
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.infra.tokens import TokenRefused, TokenSigner
from diono.kernel.ids import new_id

AUDIENCE = "download"
Project = tuple[str, str]


class Links:
    """The signature covers link, file, content and expiry; the row lets it be revoked."""

    def __init__(self, database: Database, files: Files, signer: TokenSigner, clock: Clock) -> None:
        self._database = database
        self._files = files
        self._signer = signer
        self._clock = clock
        self._audit = Audit(database, clock)

    async def create(
        self, project: Project, file_id: str, actor_id: str, expires_seconds: int
    ) -> LinkInfo:
        """Raises FileNotFound."""
        now = self._clock.now()
        async with self._database.write() as session:
            file = await self._files.found(session, project[1], file_id)
            link = FileLink(
                link_id=new_id("lnk"),
                file_id=file_id,
                created_by=actor_id,
                digest=file.sha256,
                created_at=now,
                expires_at=now + timedelta(seconds=expires_seconds),
            )
            session.add(link)
            await self._audit.record(
                "file.link_created", actor_id=actor_id, subject=file_id, session=session
            )
        token = self._signer.sign(
            link.link_id, AUDIENCE, expires_seconds, file=file_id, digest=link.digest
        )
        return self._told(link, url=f"/api/downloads/{token}")

    async def listed(self, project: Project, file_id: str) -> list[LinkInfo]:
        """Raises FileNotFound."""
        async with self._database.read() as session:
            await self._files.found(session, project[1], file_id)
            rows: Sequence[FileLink] = await store.links_of(session, file_id)
        return [self._told(row, url="") for row in rows]

    async def revoke(self, project: Project, file_id: str, link_id: str, actor_id: str) -> None:
        """Raises FileNotFound, LinkRefused."""
        async with self._database.write() as session:
            await self._files.found(session, project[1], file_id)
            link = await store.link_of(session, link_id)
            if link is None or link.file_id != file_id:
                raise LinkRefused(f"The file has no link {link_id!r}.")
            link.revoked_at = self._clock.now()
            await self._audit.record(
                "file.link_revoked", actor_id=actor_id, subject=file_id, session=session
            )

    async def follow(self, token: str) -> FileInfo:
        """Return the file of a live link. Raises LinkRefused, and tells nothing of why."""
        refused = LinkRefused("The link has expired, was revoked, or its file has changed.")
        try:
            claims = self._signer.read(token, AUDIENCE)
        except TokenRefused:
            raise refused from None
        async with self._database.read() as session:
            link = await store.link_of(session, str(claims["sub"]))
            if link is None or not self._is_live(link) or link.file_id != claims.get("file"):
                raise refused
            file = await store.any_file(session, link.file_id)
            if file is None or file.sha256 != link.digest or link.digest != claims.get("digest"):
                raise refused
            return (await self._files.told(session, [file]))[0]

    async def forget_dead(self) -> None:
        """Forget those that no longer work."""
        async with self._database.write() as session:
            await store.remove_dead_links(session, self._clock.now())

    def _is_live(self, link: FileLink) -> bool:
        return link.revoked_at is None and link.expires_at > self._clock.now()

    def _told(self, link: FileLink, url: str) -> LinkInfo:
        return LinkInfo(
            link_id=link.link_id,
            file_id=link.file_id,
            url=url,
            expires_at=link.expires_at,
            is_live=self._is_live(link),
        )
