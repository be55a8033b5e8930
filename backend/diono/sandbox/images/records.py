"""Users' own templates: which there are, kept in one file of the state folder."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, Field

from diono.sandbox.fleet import Template
from diono.sandbox.port import Limits
from diono.sandbox.private_files import write_private

DEFAULT_TAG = "default"


class BuildStatus(StrEnum):
    WAITING = "waiting"
    BUILDING = "building"
    READY = "ready"
    ERROR = "error"


def now() -> datetime:
    return datetime.now(UTC)


class BuildRecord(BaseModel):
    """One build of a user's template. ``image`` is set once it is ready."""

    build_id: str
    status: BuildStatus = BuildStatus.WAITING
    image: str = ""
    limits: Limits = Limits()
    start_command: str = ""
    ready_command: str = ""
    preimports: tuple[str, ...] = ()
    source: str = Field(default="", description="The recipe it stands on.")
    steps_json: str = Field(default="[]", description="All steps since that recipe, as JSON.")
    wanted_tags: tuple[str, ...] = (DEFAULT_TAG,)
    problem: str = ""
    problem_step: str = ""
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)
    finished_at: datetime | None = None


class TagRecord(BaseModel):
    build_id: str
    created_at: datetime = Field(default_factory=now)


class TemplateRecord(BaseModel):
    """A template that a user built. The newest ready build of a tag is what it starts."""

    template_id: str
    owner: str
    name: str
    builds: dict[str, BuildRecord] = Field(default_factory=dict)
    tags: dict[str, TagRecord] = Field(default_factory=dict)
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)

    def tagged(self, tag: str) -> BuildRecord | None:
        """Return the ready build of a tag."""
        found = self.tags.get(tag)
        build = self.builds.get(found.build_id) if found else None
        return build if build is not None and build.status is BuildStatus.READY else None

    def last_build(self) -> BuildRecord | None:
        return max(self.builds.values(), key=lambda build: build.created_at, default=None)

    def template(self, build: BuildRecord) -> Template:
        return Template(
            template_id=self.template_id,
            names=(self.name,),
            image=build.image,
            owner=self.owner,
            limits=build.limits,
            start_command=build.start_command,
            ready_command=build.ready_command,
            preimports=build.preimports,
        )


class _Content(BaseModel):
    templates: list[TemplateRecord] = Field(default_factory=list[TemplateRecord])


class Records:
    """Small and rarely written: held in memory, written whole and atomically at each change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        content = _Content()
        if path.exists():
            content = _Content.model_validate_json(path.read_bytes())
        self.templates = {record.template_id: record for record in content.templates}
        self._end_what_was_interrupted()

    def _end_what_was_interrupted(self) -> None:
        for record in self.templates.values():
            for build in record.builds.values():
                if build.status is BuildStatus.BUILDING:
                    build.status = BuildStatus.ERROR
                    build.problem = "the service was restarted during the build; build again"
                    build.finished_at = now()

    def save(self) -> None:
        content = _Content(templates=list(self.templates.values()))
        write_private(self._path, content.model_dump_json().encode())

    def named(self, name: str, owner: str) -> TemplateRecord | None:
        """Return the owner's template of this name or id."""
        for record in self.templates.values():
            if record.owner == owner and name in {record.name, record.template_id}:
                return record
        return None

    def images(self) -> Iterable[str]:
        """Yield every image that a template needs."""
        for record in self.templates.values():
            yield from (build.image for build in record.builds.values() if build.image)
