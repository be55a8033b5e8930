"""Wrong programs that every check is held against: what they pass is no proof of the work.

``nothing`` refuses every call, ``constant`` always gives the most frequent expected result,
``identity`` gives its input back, ``skeleton`` is the blueprint without the feature.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from diono.agents import qa, text
from diono.agents.blueprints import Blueprint
from diono.agents.generators import python_cli, static_web
from diono.agents.port import Check
from diono.agents.proof import CliCase, PageCase, Proof
from diono.agents.properties import PropertyCase
from diono.agents.spec import Built, FunctionSpec, Spec

WORK = ("cli", "http", "page")
Case = CliCase | PageCase | PropertyCase
Prove = Callable[[str, Proof], Awaitable[list[Check]]]
_PLAIN: Mapping[str, Any] = {"str": "", "int": 0, "float": 0.0, "bool": True}


@dataclass(frozen=True)
class Findings:
    """``discarded`` cannot fail at all; ``frame`` fail without the program around the work only;
    ``weak`` names, by function, the stub that passes all of its checks."""

    discarded: frozenset[str] = frozenset()
    frame: frozenset[str] = frozenset()
    weak: Mapping[str, str] = field(default_factory=dict[str, str])

    def sift(self, proof: Proof) -> Proof:
        """Return the proof without the checks that cannot fail."""
        return replace(
            proof,
            cli=tuple(one for one in proof.cli if one.name not in self.discarded),
            pages=tuple(one for one in proof.pages if one.name not in self.discarded),
            http=tuple(one for one in proof.http if one.name not in self.discarded),
            properties=tuple(one for one in proof.properties if one.name not in self.discarded),
        )


async def try_skeleton(prove: Prove, proof: Proof) -> Findings:
    """Run the checks on the workspace before anything changed: the skeleton itself."""
    found = await prove("checks on the skeleton", proof)
    passed = frozenset(one.name for one in found if one.passed and one.kind in WORK)
    return Findings(discarded=passed)


class StubTrials:
    """Runs checks against the stubs of functions; what was tried once is not run again."""

    def __init__(self, prove: Prove, spec: Spec, blueprint: Blueprint) -> None:
        self._prove = prove
        self._spec = spec
        self._blueprint = blueprint
        self._seen: dict[str, bool] = {}

    async def findings(self, proof: Proof, built: Sequence[Built]) -> Findings:
        cases: list[Case] = [*proof.properties, *proof.cli, *proof.pages]
        passed = await self._passed("nothing", qa.stubs_for(self._spec, list(built)), cases)
        suspects = [one for one in cases if one.name in passed]
        shell = "index.html" if self._spec.blueprint == "static-web" else "main.py"
        skeleton = {shell: self._blueprint.skeleton[shell].decode()}
        discarded = await self._passed("skeleton", skeleton, suspects)
        telling = [
            one for one in cases if one.name not in passed and not isinstance(one, PropertyCase)
        ]
        weak: dict[str, str] = {}
        for name in ("constant", "identity"):
            changes = {self._path(one.function): self._stub(one, name) for one in built}
            fooled = await self._passed(name, changes, telling)
            for one in built:
                own = [case.name for case in telling if _is_of(case, one.function)]
                if own and fooled.issuperset(own) and not one.is_random:
                    weak.setdefault(one.function.name, name)
        return Findings(frozenset(discarded), frozenset(passed - discarded), weak)

    async def _passed(
        self, name: str, changes: Mapping[str, str], cases: Sequence[Case]
    ) -> set[str]:
        marks = {f"{name} {changes} {case!r}": case for case in cases}
        fresh = {mark: case for mark, case in marks.items() if mark not in self._seen}
        if fresh:
            properties = [one for one in fresh.values() if isinstance(one, PropertyCase)]
            cli = [one for one in fresh.values() if isinstance(one, CliCase)]
            pages = [one for one in fresh.values() if isinstance(one, PageCase)]
            proof = Proof(
                properties=tuple(properties), cli=tuple(cli), pages=tuple(pages), changes=changes
            )
            checks = await self._prove(f"checks on a wrong program ({name})", proof)
            passed = {
                id(case): bool(check.passed)
                for case, check in zip([*properties, *cli, *pages], checks, strict=True)
            }
            self._seen |= {mark: passed[id(case)] for mark, case in fresh.items()}
        return {case.name for mark, case in marks.items() if self._seen[mark]}

    def _path(self, function: FunctionSpec) -> str:
        module = static_web if self._spec.blueprint == "static-web" else python_cli
        return module.path_of(function)

    def _stub(self, built: Built, kind: str) -> str:
        names = ", ".join(one.name for one in built.function.parameters)
        first = built.function.parameters[0].name
        if self._spec.blueprint == "static-web":
            result = first if kind == "identity" else json.dumps(constant_of(built))
            return f"function {text.camel(built.function.name)}({names}) {{ return {result}; }}\n"
        result = first if kind == "identity" else repr(constant_of(built))
        return f"def {built.function.name}({names}):\n    return {result}\n"


def constant_of(built: Built) -> Any:
    """Return the result that is expected most often: the constant with the best chances."""
    expected = [json.dumps(one.expected) for one in built.examples]
    if expected and not built.is_random:
        return json.loads(Counter(expected).most_common(1)[0][0])
    kind = built.function.returns
    return _PLAIN.get(kind, [] if kind.startswith("list") else {})


def _is_of(case: CliCase | PageCase, function: FunctionSpec) -> bool:
    names = (function.command, function.name, text.camel(function.name))
    return case.is_required and case.name.startswith(tuple(f"{name} " for name in names))
