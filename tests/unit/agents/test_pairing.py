"""Two functions that undo each other are proven by it, where examples of neither were sure."""

from pathlib import Path

from unit.agents.host_stage import HostStage, ScriptedModel

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.engineer import Failure
from diono.agents.meter import Run
from diono.agents.pairing import Files, rescue
from diono.agents.spec import Built, FunctionSpec, Parameter

ROOT = Path(__file__).resolve().parents[3]
CATALOG = BlueprintCatalog(ROOT / "workspace" / "blueprints")
FILES = Files({"encrypt": "core/encrypt.py", "decrypt": "core/decrypt.py"}, is_page=False)
CALLS = tuple((word, 3) for word in ("hello", "world", "zebra", "abc", ""))


def function(name: str) -> FunctionSpec:
    parameters = (Parameter(name="text"), Parameter(name="shift", type="int"))
    return FunctionSpec(name=name, description=name, parameters=parameters)


def shifting(name: str, sign: str, base: int = 97) -> str:
    body = f"''.join(chr((ord(c) - {base} {sign} shift) % 26 + {base}) for c in text)"
    return f"def {name}(text, shift):\n    return {body}\n"


def failed(name: str, *drafts: tuple[str, int]) -> Failure:
    return Failure(function(name), "no usable answer", 6, drafts, CALLS)


async def rescued(
    root: Path, failures: list[Failure], built: tuple[Built, ...] = ()
) -> list[Built]:
    (root / "core").mkdir(parents=True)
    stage = HostStage(root, ScriptedModel(lambda _: ""))
    return await rescue(Run(stage), CATALOG, failures, built, FILES)


async def test_candidates_that_undo_each_other_are_found_among_wrong_ones(tmp_path: Path) -> None:
    upper = "def encrypt(text, shift):\n    return text.upper()\n"
    found = await rescued(
        tmp_path / "w",
        [
            failed("encrypt", (upper, 2), (shifting("encrypt", "+"), 2)),
            failed("decrypt", (shifting("decrypt", "+"), 1), (shifting("decrypt", "-"), 1)),
        ],
    )
    assert {one.function.name: one.source for one in found} == {
        "encrypt": shifting("encrypt", "+"),
        "decrypt": shifting("decrypt", "-"),
    }
    examples = {one.function.name: one.examples for one in found}
    assert (examples["encrypt"][0].arguments, examples["encrypt"][0].expected) == (
        ("hello", 3), "khoor",
    )  # fmt: skip
    assert (examples["decrypt"][0].arguments, examples["decrypt"][0].expected) == (
        ("khoor", 3), "hello",
    )  # fmt: skip
    assert {one.proof for one in found} == {"round trip with encrypt", "round trip with decrypt"}


async def test_what_only_gives_its_input_back_or_stands_alone_proves_nothing(
    tmp_path: Path,
) -> None:
    same = [failed(name, (f"def {name}(text, shift):\n    return text\n", 3))
            for name in ("encrypt", "decrypt")]  # fmt: skip
    assert await rescued(tmp_path / "same", same) == []
    lonely = [
        failed("encrypt", (shifting("encrypt", "+"), 1)),
        failed("decrypt", (shifting("decrypt", "-"), 1)),
    ]
    assert await rescued(tmp_path / "lonely", lonely) == []


async def test_a_built_partner_is_enough_and_stays_as_it_is(tmp_path: Path) -> None:
    built = Built(function=function("encrypt"), source=shifting("encrypt", "+"))
    [found] = await rescued(
        tmp_path / "w", [failed("decrypt", (shifting("decrypt", "-"), 1))], (built,)
    )
    assert found.function.name == "decrypt"
