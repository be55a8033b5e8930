"""The folders of roles and workflows: the shipped ones, and those of the users."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from diono.agents.errors import RoleBroken
from diono.agents.roles.definition import BUILT_IN, NAME, Cast, Role, Workflow, WorkflowItem
from diono.agents.roles.reading import read_role, read_workflow
from diono.agents.scheduling.items import Phase, WorkItem, ordered

DEFAULT = "build"
# What is done where no files are given, and what the shipped workflow says too.
BUILD = Cast(
    workflow=Workflow(
        name=DEFAULT,
        items=(
            WorkflowItem(name="spec", role="product_manager"),
            WorkflowItem(name="plan", role="architect", depends_on=("spec",)),
            WorkflowItem(name="program", role="engineer", depends_on=("plan",)),
            WorkflowItem(name="proof", role="qa", depends_on=("program",)),
        ),
    ),
    roles={},
)
_PHASES = {
    "product_manager": Phase.PLANNING,
    "architect": Phase.PLANNING,
    "engineer": Phase.BACKEND,
}
_SUFFIXES = (".md", ".yaml", ".yml")


class RoleLibrary:
    """Looks files up by name, the shipped folder first. It reads them at each call, so that a new
    file is there at once; call it in a step."""

    def __init__(self, roles: Sequence[Path], workflows: Sequence[Path]) -> None:
        self._roles = tuple(roles)
        self._workflows = tuple(workflows)

    @classmethod
    def beside(
        cls, blueprints: Path, roles: Path | None = None, workflows: Path | None = None
    ) -> "RoleLibrary":
        """Take the shipped files next to the blueprints, and further folders."""
        root = blueprints.parent
        return cls(
            [root / "roles", *([roles] if roles else [])],
            [root / "workflows", *([workflows] if workflows else [])],
        )

    def workflow_names(self) -> tuple[str, ...]:
        return _names(self._workflows)

    def role_names(self) -> tuple[str, ...]:
        return _names(self._roles)

    def load(self, workflow: str = DEFAULT) -> Cast:
        """Return a checked workflow with the roles in it. Raises RoleBroken, naming file and line,
        and PlanRefused for a graph that cannot work."""
        path = _find(self._workflows, workflow)
        if path is None:
            known = ", ".join(self.workflow_names())
            raise RoleBroken(f"There is no workflow {workflow[:60]!r}. Known: {known}.")
        found = read_workflow(path)
        used = dict.fromkeys(one.role for one in found.items)
        roles = {name: role for name in used if (role := self._role(name)) is not None}
        cast = Cast(workflow=found, roles=roles)
        check_cast(cast, self.role_names())
        return cast

    def _role(self, name: str) -> Role | None:
        path = _find(self._roles, name)
        return read_role(path) if path is not None else None


def _find(folders: Sequence[Path], name: str) -> Path | None:
    if not re.fullmatch(NAME, name):
        return None
    candidates = (folder / f"{name}{suffix}" for folder in folders for suffix in _SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)


def _names(folders: Sequence[Path]) -> tuple[str, ...]:
    files = [path for folder in folders if folder.is_dir() for path in folder.iterdir()]
    return tuple(sorted({path.stem for path in files if path.suffix in _SUFFIXES}))


def work_items(cast: Cast) -> list[WorkItem]:
    return [
        WorkItem(
            name=one.name,
            role=one.role,
            phase=_phase_of(cast, one.role),
            depends_on=one.depends_on,
            priority=one.priority,
            retries=_retries(cast, one),
            is_tolerant=one.is_tolerant,
        )
        for one in cast.workflow.items
    ]


def _retries(cast: Cast, item: WorkflowItem) -> int:
    if item.retries is not None:
        return item.retries
    role = cast.roles.get(item.role)
    return role.tries - 1 if role is not None else 0


def _phase_of(cast: Cast, role: str) -> Phase:
    if role in BUILT_IN:
        return _PHASES.get(role, Phase.INTEGRATION)
    return cast.roles[role].phase if role in cast.roles else Phase.INTEGRATION


def check_cast(cast: Cast, known: Sequence[str]) -> None:
    """Raises RoleBroken or PlanRefused: what makes the proof must be there, in its order."""
    workflow = cast.workflow
    items = ordered(work_items(cast), {*known, *BUILT_IN})
    before: dict[str, set[str]] = {}
    for item in items:
        before[item.name] = set().union(*({one} | before[one] for one in item.depends_on), set())
    of_role = {role: [one.name for one in items if one.role == role] for role in BUILT_IN}
    for role, names in of_role.items():
        if len(names) != 1:
            count = "no item" if not names else "more than one item"
            raise RoleBroken(f"The workflow {workflow.name} has {count} for {role}. Name it once.")
    for first, second in pairwise(BUILT_IN):
        if of_role[first][0] not in before[of_role[second][0]]:
            raise RoleBroken(
                f"In the workflow {workflow.name}, {of_role[second][0]} must come after "
                f"{of_role[first][0]}. Add it to its depends_on."
            )
    for item in items:
        is_late = of_role["qa"][0] in before[item.name]
        if item.role not in BUILT_IN and cast.roles[item.role].writes_code and not is_late:
            raise RoleBroken(
                f"In the workflow {workflow.name}, {item.name} writes code before it is proven "
                f"what works. Add {of_role['qa'][0]} to its depends_on."
            )
