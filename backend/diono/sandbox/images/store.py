"""The templates of a sandbox service: our own recipes and users' builds."""

from collections.abc import Sequence
from functools import partial

from diono.sandbox.config import SandboxConfig
from diono.sandbox.errors import TemplateMissing
from diono.sandbox.fleet import Template
from diono.sandbox.images.jobs import RecipeJobs
from diono.sandbox.images.layers import layer_repository, template_repository
from diono.sandbox.images.pruning import prune_images
from diono.sandbox.images.recipes import Recipes
from diono.sandbox.images.records import DEFAULT_TAG, Records
from diono.sandbox.images.threads import in_daemon_thread
from diono.sandbox.template_states import TemplateState

_SPARED_SECONDS = 24 * 3600.0


def split_tag(reference: str) -> tuple[str, str]:
    """Return the name and the tag of ``name:tag``; without one the tag is ``default``."""
    name, _, tag = reference.partition(":")
    return name, tag or DEFAULT_TAG


class TemplateStore:
    """Implements ``fleet.Templates``. Names are the owner's first, then everybody's."""

    def __init__(self, config: SandboxConfig) -> None:
        self.records = Records(config.state_dir / "templates" / "templates.json")
        self.jobs = RecipeJobs(config)
        self._config = config

    @property
    def recipes(self) -> Recipes:
        return self.jobs.recipes

    async def find(self, name_or_id: str, owner: str) -> Template:
        """Return the template. Raises TemplateMissing, TemplateBuilding, EngineMissing."""
        name, tag = split_tag(name_or_id)
        record = self.records.named(name, owner)
        if record is not None:
            build = record.tagged(tag)
            if build is None:
                raise TemplateMissing(f"the template {name!r} has no finished build {tag!r}")
            return record.template(build)
        recipe = self.recipes.find(name)
        if recipe is None or tag not in {DEFAULT_TAG, "latest"}:
            raise TemplateMissing(
                f"there is no template {name_or_id!r}; of this machine are: "
                f"{', '.join(sorted(each.name for each in self.recipes))}"
            )
        await self.jobs.need(recipe)
        return recipe.template()

    async def ready(self) -> Sequence[Template]:
        """Return our own templates whose image is on this machine. Raises EngineMissing."""
        await self.jobs.refresh()
        return [each.template() for each in self.recipes if self.jobs.is_present(each)]

    async def states(self) -> Sequence[TemplateState]:
        """Return how far each of our own templates is. Raises EngineMissing."""
        await self.jobs.refresh()
        return [self.jobs.state(recipe) for recipe in self.recipes]

    async def prepare(self, name: str) -> TemplateState:
        """Start building one of our own templates, if need be. Raises TemplateMissing."""
        recipe = self.recipes.get(name)
        await self.jobs.refresh([recipe])
        if not self.jobs.is_present(recipe):
            self.jobs.start(recipe)
        return self.jobs.state(recipe)

    async def wait(self, name: str) -> TemplateState:
        """Like prepare, but return when the build has ended, well or not."""
        await self.prepare(name)
        recipe = self.recipes.get(name)
        await self.jobs.wait(recipe)
        return self.jobs.state(recipe)

    def remove(self, name_or_id: str, owner: str) -> Template | None:
        """Forget an owner's template. Its images are left for ``prune_images``.

        Returns what it was; None if there is none of this owner.
        """
        record = self.records.named(name_or_id, owner)
        if record is None:
            return None
        build = record.tagged(DEFAULT_TAG) or record.last_build()
        del self.records.templates[record.template_id]
        self.records.save()
        return (
            record.template(build)
            if build
            else Template(
                template_id=record.template_id, names=(record.name,), image="", owner=owner
            )
        )

    async def prune(self) -> Sequence[str]:
        """Remove images that no recipe, template or container needs any more."""
        prefixes = (f"{layer_repository(self._config)}:", f"{template_repository(self._config)}:")
        kept = list(self.records.images())
        prune = partial(prune_images, self._config, kept, prefixes, _SPARED_SECONDS)
        return await in_daemon_thread(prune)

    async def close(self) -> None:
        await self.jobs.close()
