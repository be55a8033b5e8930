"""What may reach pip, and where services may listen."""

import pytest

from diono.sandbox.checks import requirements
from diono.sandbox.errors import RequirementRefused

HOSTILE_REQUIREMENTS = [
    *("", " ", "-r requirements.txt", "--index-url=http://x", "-e .", ".", "./x", "/work/x"),
    *("x @ https://example.org/x.whl", "git+https://example.org/x", "https://example.org/x.whl"),
    *("file:///etc/passwd", "x.whl/../y", "a b", "a;b", "a\nb", "a\n--index-url=x", "a$(id)"),
    *("a`id`", "a|b", "a&b", "x; python_version>'3'", "x --hash=sha256:0", "x==1 -r y", "é"),
    *("x[", "x[a", "x]a[", "x==", "==1", "x=1", "x==1,", "x" * 200, "x\0", "x==1.0;", "..", "-"),
]


@pytest.mark.parametrize("text", HOSTILE_REQUIREMENTS)
def test_install_refuses_hostile_requirements(text: str) -> None:
    with pytest.raises(RequirementRefused):
        requirements([text])


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("httpx", "httpx"), ("uvicorn[standard] >= 0.30, < 1", "uvicorn[standard]>=0.30,<1"),
        ("Zope.Interface==6.*", "Zope.Interface==6.*"), ("a~=1.0rc1", "a~=1.0rc1"),
        ("x===1.0+local.1", "x===1.0+local.1"), ("x!=1!2.0", "x!=1!2.0"),
    ],
)  # fmt: skip
def test_install_accepts_plain_requirements(text: str, clean: str) -> None:
    assert requirements([text]) == (clean,)
