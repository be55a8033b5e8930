"""The proof of a build, kept in its workspace so that later changes can be held against it.

What is read back is the tenant's data: it is validated, and what it names runs in the sandbox
only. Whoever changes the workspace reads the proof before the change, not after it.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.errors import ProofUnreadable
from diono.agents.port import Check
from diono.agents.proof import Proof, run_proof
from diono.agents.spec import Spec
from diono.sandbox.errors import FileMissing
from diono.sandbox.port import Sandbox

PATH = ".diono/proof.json"
VERSION = 1
_LIMIT_BYTES = 2_000_000
_PROOF: TypeAdapter[Proof] = TypeAdapter(Proof)


class SavedProof(BaseModel):
    """``proof`` has the checks that count; ``optional`` names those that need not pass."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    version: int = VERSION
    spec: Spec
    proof: Proof
    optional: tuple[str, ...] = Field(default=(), description="Names of checks not required.")
    discarded: tuple[str, ...] = Field(default=(), description="Checks that cannot fail.")

    def to_bytes(self) -> bytes:
        return (self.model_dump_json(indent=1) + "\n").encode()


def parse_proof(content: bytes) -> SavedProof:
    """Raises ProofUnreadable."""
    try:
        values = json.loads(content)
        return SavedProof.model_validate(
            {**values, "proof": _PROOF.validate_python(values["proof"])}
        )
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise ProofUnreadable(
            f"{PATH} is not a proof ({first}). Bring it back from the project's history."
        ) from error


async def read_proof(sandbox: Sandbox) -> SavedProof | None:
    """Return what the workspace's build proved; None if nothing was built there. Raises
    ProofUnreadable."""
    try:
        content = await sandbox.read_file(PATH, _LIMIT_BYTES)
    except FileMissing:
        return None
    return parse_proof(content)


async def run_saved(sandbox: Sandbox, catalog: BlueprintCatalog, saved: SavedProof) -> list[Check]:
    """Run a proof that was read earlier on the workspace as it is now."""
    blueprint = catalog.get(saved.spec.blueprint).facts
    # How the app is started and tested is the blueprint's to say, not the workspace's.
    service = blueprint.service if saved.proof.service is not None else None
    tests = blueprint.test_command if saved.proof.tests else ()
    checks = await run_proof(sandbox, catalog, replace(saved.proof, service=service, tests=tests))
    return [
        check.model_copy(
            update={"is_required": check.is_required and check.name not in saved.optional}
        )
        for check in checks
    ]


async def rerun_proof(sandbox: Sandbox, catalog: BlueprintCatalog) -> list[Check]:
    """Run the proof of the workspace's build again; empty if there is none. Call it inside a
    step. Raises ProofUnreadable."""
    saved = await read_proof(sandbox)
    return await run_saved(sandbox, catalog, saved) if saved is not None else []


def turned_red(before: Sequence[Check], after: Sequence[Check]) -> list[Check]:
    """Return what passed before a change and does not after it; a check that is gone is red."""
    now = {one.name: one for one in after}
    gone = {"passed": None, "detail": "the check did not run any more"}
    found = [now.get(one.name, one.model_copy(update=gone)) for one in before if one.passed]
    return [one for one in found if not one.passed]
