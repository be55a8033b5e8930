"""The proof that stays in the workspace."""

import pytest

from diono.agents.errors import ProofUnreadable
from diono.agents.port import Check
from diono.agents.proof import CliCase, Expectation, HttpRequest, PageCase, Proof
from diono.agents.saved_proof import SavedProof, parse_proof, turned_red
from diono.agents.spec import Spec

SPEC = Spec(name="a", title="A", summary="s", blueprint="python-cli", shape="functions")


def test_a_proof_comes_back_as_it_was_saved() -> None:
    proof = Proof(
        cli=(CliCase("a", ("python3", "main.py"), files={"a.txt": "x"}, expected="1"),),
        requests=(HttpRequest("POST", "/api/x", {"a": [1, None]}),),
        http=(Expectation("b", 0, 201, fields={"a": 1.5}),),
        pages=(PageCase("c", ({"read": "h1"},), (None, 3, "x")),),
    )
    saved = SavedProof(spec=SPEC, proof=proof, optional=("a",), discarded=("d",))
    again = parse_proof(saved.to_bytes())
    assert again == saved
    assert again.proof.cli[0].argv == ("python3", "main.py")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"proof": 3}', b"\xff\xfe", b"[" * 100_000, b'{"proof": {}}']
)
def test_a_spoiled_proof_is_refused_with_the_way_out(content: bytes) -> None:
    with pytest.raises(ProofUnreadable, match="history"):
        parse_proof(content)


def check(name: str, passed: bool | None) -> Check:
    return Check(name=name, kind="cli", passed=passed)


def test_what_was_green_and_is_not_any_more_turned_red() -> None:
    before = [check("a", True), check("b", True), check("c", False), check("d", True)]
    after = [check("a", True), check("b", False), check("c", True)]
    assert [one.name for one in turned_red(before, after)] == ["b", "d"]
