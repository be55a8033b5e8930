"""Users' own templates, built over the E2B wire: the calls, their records and their logs."""

import asyncio
import json
import re
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

from loguru import logger
from pydantic import ValidationError

from diono.kernel.errors import Conflict, DionoError, InvalidInput
from diono.kernel.ids import new_id
from diono.sandbox.config import SandboxConfig
from diono.sandbox.errors import TemplateMissing
from diono.sandbox.images.build_models import BuildLog, BuildOrder, BuildState, BuildTicket
from diono.sandbox.images.layers import BuildFailed, LayerBuilder, template_repository
from diono.sandbox.images.recipes import Recipe
from diono.sandbox.images.records import (
    DEFAULT_TAG,
    BuildRecord,
    BuildStatus,
    TagRecord,
    TemplateRecord,
    now,
)
from diono.sandbox.images.steps import StepData, plan_of
from diono.sandbox.images.store import TemplateStore, split_tag
from diono.sandbox.images.threads import in_daemon_thread
from diono.sandbox.images.uploads import Uploads
from diono.sandbox.port import Limits

TEMPLATES_LIMIT = 50
BUILDS_KEPT = 5
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_IMAGES = {"e2bdev/base": "base", "e2bdev/code-interpreter": "code-interpreter-v1"}
"""What images of the public registry are here; a family without its tag is enough."""
_FAMILIES = {"python": "base", "debian": "base", "ubuntu": "base", "node": "node"}


class TemplateBuilds:
    """One build at a time; an owner sees and changes only templates of its own.

    Errors: TemplateMissing, InvalidInput, Conflict, UploadTooLarge, EngineMissing.
    """

    def __init__(self, config: SandboxConfig, store: TemplateStore) -> None:
        self._config = config
        self._store = store
        self._uploads = Uploads(config.state_dir / "templates" / "files")
        self._logs: defaultdict[str, BuildLog] = defaultdict(BuildLog)
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(1)
        self._has_swept = False

    async def request(
        self,
        owner: str,
        name: str,
        tags: Sequence[str] = (),
        cpus: float | None = None,
        memory_mb: int | None = None,
    ) -> BuildTicket:
        """POST /v3/templates: a new build of a template, which is made if it is new."""
        name, tag = split_tag(name)
        tags = tuple(dict.fromkeys([*tags, *([] if tags and tag == DEFAULT_TAG else [tag])]))
        if not _NAME.fullmatch(name) or not all(map(_TAG.fullmatch, tags)):
            raise InvalidInput("names are lower-case letters, digits, - and _; so are tags")
        if self._store.recipes.find(name) is not None:
            raise Conflict(f"{name!r} is a template of this machine; choose another name")
        limits = _limits(cpus, memory_mb)
        records = self._store.records
        record = records.named(name, owner)
        if record is None:
            owned = [each for each in records.templates.values() if each.owner == owner]
            if len(owned) >= TEMPLATES_LIMIT:
                raise Conflict(f"you have {TEMPLATES_LIMIT} templates; delete one first")
            record = TemplateRecord(template_id=new_id("tpl"), owner=owner, name=name)
            records.templates[record.template_id] = record
        build = BuildRecord(build_id=str(uuid.uuid4()), limits=limits)
        build.wanted_tags = tags
        record.builds[build.build_id] = build
        self._forget_old_builds(record)
        records.save()
        return BuildTicket(
            template_id=record.template_id, build_id=build.build_id, name=name, tags=tags
        )

    def _forget_old_builds(self, record: TemplateRecord) -> None:
        tagged = {tag.build_id for tag in record.tags.values()}
        ended = [
            build
            for build in sorted(record.builds.values(), key=lambda build: build.created_at)
            if build.build_id not in tagged and build.status is not BuildStatus.BUILDING
        ]
        for build in ended[: max(0, len(record.builds) - BUILDS_KEPT)]:
            del record.builds[build.build_id]
            self._logs.pop(build.build_id, None)

    def _record(self, owner: str, template_id: str) -> TemplateRecord:
        record = self._store.records.named(split_tag(template_id)[0], owner)
        if record is None:
            raise TemplateMissing(f"you have no template {template_id!r}")
        return record

    def _build(self, owner: str, template_id: str, build_id: str) -> BuildRecord:
        build = self._record(owner, template_id).builds.get(build_id)
        if build is None:
            raise TemplateMissing(f"the template {template_id!r} has no build {build_id!r}")
        return build

    async def has_files(self, owner: str, template_id: str, digest: str) -> bool:
        """GET /templates/T/files/HASH: whether they were sent before (by this owner)."""
        self._record(owner, template_id)
        return await self._uploads.has(owner, digest)

    async def put_files(
        self, owner: str, template_id: str, digest: str, content: AsyncIterator[bytes]
    ) -> None:
        """The upload that the link of files/HASH leads to."""
        self._record(owner, template_id)
        await self._uploads.put(owner, digest, content)

    async def start(
        self, owner: str, template_id: str, build_id: str, body: Mapping[str, Any]
    ) -> None:
        """POST /v2/templates/T/builds/B: check the steps and build in the background."""
        record = self._record(owner, template_id)
        build = self._build(owner, template_id, build_id)
        if build.status is not BuildStatus.WAITING:
            raise Conflict("this build was started before; ask for a new one")
        try:
            wanted = BuildOrder.model_validate(body)
        except ValidationError as error:
            raise InvalidInput(f"the steps cannot be read: {error.errors()[0]['msg']}") from error
        recipe, earlier = self._parent(owner, wanted)
        steps = [*earlier, *wanted.steps]
        plan_of(steps)
        for step in steps:
            if step.files_hash and not await self._uploads.has(owner, step.files_hash):
                raise InvalidInput(f"the files {step.files_hash[:12]}… of a COPY were not sent")
        build.source = recipe.name
        build.steps_json = json.dumps([step.model_dump(by_alias=True) for step in steps])
        build.start_command, build.ready_command = wanted.start_command, wanted.ready_command
        build.status, build.updated_at = BuildStatus.BUILDING, now()
        self._store.records.save()
        task = asyncio.create_task(
            self._run(record, build, recipe, steps, wanted.force, len(earlier))
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _parent(self, owner: str, wanted: BuildOrder) -> tuple[Recipe, list[StepData]]:
        """Return the recipe to stand on and the steps of the user's own template in between.

        Steps are done again rather than stood on, because packages are installed on our own
        images only; what is unchanged comes from the layers made before.
        """
        if wanted.from_image and wanted.from_template:
            raise InvalidInput("say fromImage or fromTemplate, not both")
        name = wanted.from_template or _recipe_of(wanted.from_image)
        record = self._store.records.named(split_tag(name)[0], owner)
        if record is None:
            return self._store.recipes.get(split_tag(name)[0]), []
        build = record.tagged(split_tag(name)[1])
        if build is None:
            raise TemplateMissing(f"the template {name!r} has no finished build")
        steps = [StepData.model_validate(step) for step in json.loads(build.steps_json)]
        return self._store.recipes.get(build.source), steps

    async def _run(
        self,
        record: TemplateRecord,
        build: BuildRecord,
        recipe: Recipe,
        steps: Sequence[StepData],
        is_forced: bool,
        inherited: int,
    ) -> None:
        log, loop = self._logs[build.build_id], asyncio.get_running_loop()

        def say(step: str, text: str) -> None:
            shown = str(max(1, int(step) - inherited)) if step.isdigit() else step
            loop.call_soon_threadsafe(log.add, shown, text)

        try:
            async with self._turn:
                log.add("base", f"using the template {recipe.name}")
                target = f"{template_repository(self._config)}:{build.build_id}"
                builder = LayerBuilder(self._config, partial(self._uploads.path, record.owner), say)
                plan = plan_of(steps)
                await self._make_ready(recipe, builder)
                await in_daemon_thread(partial(builder.build, recipe.tag, plan, target, is_forced))
            build.image, build.status = target, BuildStatus.READY
            for tag in build.wanted_tags:
                record.tags[tag] = TagRecord(build_id=build.build_id)
            log.add("finalize", "the template is ready")
        except DionoError as error:
            logger.info("the template {} could not be built: {}", record.name, error.detail)
            step = error.step if isinstance(error, BuildFailed) else "base"
            if step.isdigit():
                step = str(max(1, int(step) - inherited))
            build.status, build.problem, build.problem_step = BuildStatus.ERROR, error.detail, step
            log.add(step, error.detail, "error")
        except Exception as error:  # noqa: BLE001  else the build would never end
            logger.opt(exception=error).error("the build of {} broke", record.name)
            build.status, build.problem = BuildStatus.ERROR, "the build broke inside the service"
        record.updated_at = build.updated_at = build.finished_at = now()
        self._store.records.save()

    async def _make_ready(self, recipe: Recipe, builder: LayerBuilder) -> None:
        state = await self._store.wait(recipe.name)
        if state.readiness != "ready":
            raise BuildFailed(state.detail, "base")
        if not self._has_swept:
            await in_daemon_thread(builder.sweep)
        self._has_swept = True

    async def state(
        self, owner: str, template_id: str, build_id: str, offset: int = 0, limit: int = 100
    ) -> BuildState:
        """GET /templates/T/builds/B/status."""
        build = self._build(owner, template_id, build_id)
        lines = self._logs[build_id].lines[max(0, offset) : max(0, offset) + max(0, limit)]
        return BuildState(
            status=build.status.value,
            lines=tuple(lines),
            problem=build.problem,
            problem_step=build.problem_step,
        )

    async def list(self, owner: str) -> Sequence[TemplateRecord]:
        """The owner's own templates, for GET /templates."""
        records = self._store.records.templates.values()
        return [record for record in records if record.owner == owner]

    async def get(self, owner: str, template_id: str) -> TemplateRecord:
        """GET /templates/T."""
        return self._record(owner, template_id)

    async def delete(self, owner: str, template_id: str) -> bool:
        """DELETE /templates/T. Sandboxes that run go on."""
        record = self._store.records.named(template_id, owner)
        return record is not None and self._store.remove(template_id, owner) is not None

    async def assign_tags(
        self, owner: str, target: str, tags: Sequence[str]
    ) -> tuple[str, tuple[str, ...]]:
        """POST /templates/tags: name the build of ``name:tag`` also so; (build id, tags)."""
        name, tag = split_tag(target)
        record = self._record(owner, name)
        found = record.tagged(tag)
        if found is None:
            raise TemplateMissing(f"the template {name!r} has no finished build {tag!r}")
        if not tags or not all(map(_TAG.fullmatch, tags)):
            raise InvalidInput("tags are letters, digits, -, _ and .")
        for each in tags:
            record.tags[each] = TagRecord(build_id=found.build_id)
        self._store.records.save()
        return found.build_id, tuple(tags)

    async def remove_tags(self, owner: str, name: str, tags: Sequence[str]) -> None:
        record = self._record(owner, name)
        for tag in tags:
            record.tags.pop(tag, None)
        self._store.records.save()

    async def tags(self, owner: str, template_id: str) -> Mapping[str, TagRecord]:
        return dict(self._record(owner, template_id).tags)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _limits(cpus: float | None, memory_mb: int | None) -> Limits:
    try:
        wanted = {"cpus": cpus, "memory_mb": memory_mb}
        return Limits.model_validate({key: value for key, value in wanted.items() if value})
    except ValidationError as error:
        raise InvalidInput("a template has up to 8 CPUs and 64 to 8192 MB of memory") from error


def _recipe_of(image: str) -> str:
    """Return our template for an image of a registry. Raises InvalidInput."""
    name = image.partition("@")[0].removeprefix("docker.io/").removeprefix("library/")
    family = name.partition(":")[0]
    found = _IMAGES.get(family) or _FAMILIES.get(family)
    if not found and name:
        raise InvalidInput(
            f"the image {image!r} is not on this machine and no registry is asked; stand on a "
            "template (fromTemplate: base, node, code-interpreter-v1, …) or on one of the images "
            f"{', '.join([*_IMAGES, *_FAMILIES])}, which mean such a template"
        )
    return found or "base"
