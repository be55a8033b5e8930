"""Checkpoints: kept at each step, compared, gone back to, marked and forked.

Git works inside the project's sandbox only. Going back makes a new commit with the old files, so
later work stays in the history. Callers see to it that no run of the project is active.
"""

import hashlib
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from diono.agents.port import JsonObject
from diono.features.checkpoints import store
from diono.features.checkpoints.schemas import (
    TITLE_LENGTH,
    ChangeCheckpoint,
    CheckpointInfo,
    CheckpointPage,
    DiffReport,
    FileChange,
    RestoreReport,
)
from diono.features.checkpoints.tables import Checkpoint
from diono.features.projects.service import (
    Quotas,
    fork_project,
    lock_project,
    remove_project,
    sandbox_of,
)
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.errors import DionoError
from diono.kernel.events import storable
from diono.kernel.ids import new_id
from diono.sandbox.port import Sandboxes
from diono.sandbox.repository import Repository

Project = tuple[str, str]
_KEY_LENGTH = 160


class Recollection(Protocol):
    """The conversation and memory of a project (features/conversations)."""

    async def mark(self, project_id: str) -> tuple[int, JsonObject]: ...

    async def go_back(
        self, project_id: str, message_number: int, memory: JsonObject, text: str
    ) -> int: ...

    async def copy(
        self, source_id: str, target_id: str, message_number: int, memory: JsonObject
    ) -> None: ...


class Checkpoints:
    """``project`` is (owner, project), whose owner has been checked."""

    def __init__(
        self,
        database: Database,
        sandboxes: Sandboxes,
        recollection: Recollection,
        clock: Clock,
        quotas: Quotas | None = None,
    ) -> None:
        self._database = database
        self._quotas = quotas or Quotas()
        self._sandboxes = sandboxes
        self._recollection = recollection
        self._clock = clock

    async def keep(
        self, project_id: str, task_id: str | None, key: str, title: str, commit: str
    ) -> None:
        """Keep a point to return to. A repeat of (task, key), or of the newest one's commit,
        changes nothing."""
        number, memory = await self._recollection.mark(project_id)
        row_key = _bounded(f"{task_id or ''}:{key}")
        async with self._database.write() as session:
            await lock_project(session, project_id, self._clock.now())
            last = await store.newest(session, project_id)
            is_known = await store.has_key(session, project_id, row_key)
            if is_known or (last is not None and last.commit == commit):
                return
            row = self._row(project_id, row_key, title, commit)
            row.task_id, row.message_number, row.memory = task_id, number, memory
            session.add(row)

    async def page(
        self, project_id: str, cursor: str | None, limit: int, is_bookmarked: bool = False
    ) -> CheckpointPage:
        async with self._database.read() as session:
            found = await store.page(session, project_id, cursor, limit + 1, is_bookmarked)
        items = [CheckpointInfo.model_validate(row) for row in found[:limit]]
        has_more = len(found) > limit
        return CheckpointPage(
            items=items, next_cursor=items[-1].checkpoint_id if has_more else None
        )

    async def between(self, project_id: str, first: int, last: int | None) -> list[CheckpointInfo]:
        """Return the checkpoints made at messages ``first`` to ``last``, in order."""
        async with self._database.read() as session:
            found = await store.between(session, project_id, first, last)
        return [CheckpointInfo.model_validate(row) for row in found]

    async def make(self, project: Project, title: str) -> CheckpointInfo:
        """Commit the files as they are and keep that under a name."""
        head, _ = await (await self._repository(project)).save(title)
        number, memory = await self._recollection.mark(project[1])
        async with self._database.write() as session:
            await lock_project(session, project[1], self._clock.now())
            row = self._row(project[1], f"made:{new_id('key')}", title, head)
            row.message_number, row.memory = number, memory
            session.add(row)
        return CheckpointInfo.model_validate(row)

    async def change(
        self, project: Project, checkpoint_id: str, wanted: ChangeCheckpoint
    ) -> CheckpointInfo:
        """Mark or rename one. Raises CheckpointNotFound."""
        async with self._database.write() as session:
            row = await store.one(session, project[1], checkpoint_id)
            if wanted.title is not None:
                row.title = storable(wanted.title)
            if wanted.is_bookmarked is not None:
                row.is_bookmarked = wanted.is_bookmarked
        return CheckpointInfo.model_validate(row)

    async def diff(
        self, project: Project, checkpoint_id: str, other_id: str | None, limit_bytes: int
    ) -> DiffReport:
        """Compare with another checkpoint, or with the files as they are. Raises
        CheckpointNotFound, CommitMissing."""
        old = await self._one(project[1], checkpoint_id)
        other = None if other_id is None else await self._one(project[1], other_id)
        repository = await self._repository(project)
        new = await repository.current() if other is None else other.commit
        files = await repository.changed(old.commit, new)
        text, is_cut = await repository.diff(old.commit, new, limit_bytes)
        return DiffReport(
            from_checkpoint_id=checkpoint_id,
            to_checkpoint_id=other_id,
            files=[FileChange.model_validate(file) for file in files],
            diff=text,
            is_cut=is_cut,
        )

    async def restore(self, project: Project, checkpoint_id: str) -> RestoreReport:
        """Go back to a checkpoint: files, conversation and memory. Raises CheckpointNotFound,
        CommitMissing."""
        started = self._clock.monotonic()
        target = await self._one(project[1], checkpoint_id)
        sandbox = await self._sandboxes.open(sandbox_of(*project))
        title = _cut(f"Work before going back to “{target.title}”")
        back = _cut(f"Back to “{target.title}”")
        done = await Repository(sandbox).restore(target.commit, title, back)
        before = await self._before(project[1], done.before, title)
        text = (
            f"The project was put back to the checkpoint “{target.title}” ({target.commit[:10]}). "
            "Files, conversation and memory are as they were then; what came later is kept in "
            f"the checkpoint “{before.title}”."
        )
        number = await self._recollection.go_back(
            project[1], target.message_number, target.memory, text
        )
        async with self._database.write() as session:
            await lock_project(session, project[1], self._clock.now())
            now = self._row(project[1], f"restored:{done.after}", back, done.after)
            now.message_number, now.memory = number, target.memory
            session.add(now)
        services = await sandbox.list_services()
        return RestoreReport(
            restored=CheckpointInfo.model_validate(target),
            before=before,
            now=CheckpointInfo.model_validate(now),
            running_services=[service.name for service in services if service.is_running],
            seconds=round(self._clock.monotonic() - started, 3),
        )

    async def _before(self, project_id: str, commit: str, title: str) -> CheckpointInfo:
        """Return the checkpoint of what was there; made now unless it is one already."""
        number, memory = await self._recollection.mark(project_id)
        async with self._database.write() as session:
            await lock_project(session, project_id, self._clock.now())
            row = await store.by_commit(session, project_id, commit)
            if row is None:
                row = self._row(project_id, f"before:{commit}", title, commit)
                row.message_number, row.memory = number, memory
                session.add(row)
        return CheckpointInfo.model_validate(row)

    async def fork(
        self, project: Project, checkpoint_id: str | None, name: str, owner_id: str
    ) -> str:
        """Copy a project as it was at a checkpoint (None: as it is) into a new one of a user;
        return its id. Raises CheckpointNotFound, CommitMissing, FileTooLarge, QuotaReached."""
        if checkpoint_id is None:
            checkpoint_id = (await self.make(project, _cut(f"Forked as “{name}”"))).checkpoint_id
        origin = await self._one(project[1], checkpoint_id)
        content, commits = await (await self._repository(project)).bundle(origin.commit)
        async with self._database.write() as session:
            forked = await fork_project(
                session, project, owner_id, name, self._clock.now(), self._quotas
            )
        try:
            sandbox = await self._sandboxes.open(sandbox_of(owner_id, forked))
            await Repository(sandbox).unbundle(content)
            await self._recollection.copy(project[1], forked, origin.message_number, origin.memory)
            async with self._database.write() as session:
                await self._copy_rows(session, origin, forked, set(commits))
            # The place goes to whatever the user opens next; the files stay.
            await self._sandboxes.kill(owner_id, forked)
        except DionoError:
            await self._sandboxes.delete_workspace(owner_id, forked)
            async with self._database.write() as session:
                await remove_project(session, forked)
            raise
        return forked

    async def _copy_rows(
        self, session: AsyncSession, origin: Checkpoint, forked: str, commits: set[str]
    ) -> None:
        for row in await store.up_to(session, origin):
            if row.commit not in commits:
                continue
            copy = self._row(forked, f"forked:{row.checkpoint_id}", row.title, row.commit)
            copy.message_number, copy.memory = row.message_number, row.memory
            copy.is_bookmarked, copy.created_at = row.is_bookmarked, row.created_at
            session.add(copy)
            await session.flush()

    async def _one(self, project_id: str, checkpoint_id: str) -> Checkpoint:
        async with self._database.read() as session:
            return await store.one(session, project_id, checkpoint_id)

    async def _repository(self, project: Project) -> Repository:
        return Repository(await self._sandboxes.open(sandbox_of(*project)))

    def _row(self, project_id: str, key: str, title: str, commit: str) -> Checkpoint:
        return Checkpoint(
            checkpoint_id=new_id("chk"),
            project_id=project_id,
            task_id=None,
            key=key,
            commit=commit,
            title=_cut(storable(title)),
            message_number=0,
            memory={},
            is_bookmarked=False,
            created_at=self._clock.now(),
        )


def _cut(title: str) -> str:
    line = " ".join(title.split()) or "checkpoint"
    return line if len(line) <= TITLE_LENGTH else f"{line[: TITLE_LENGTH - 1]}…"


def _bounded(key: str) -> str:
    if len(key) <= _KEY_LENGTH:
        return key
    return f"{key[: _KEY_LENGTH - 66]}~{hashlib.sha256(key.encode()).hexdigest()}"
