"""A Dockerfile becomes template steps, or the line that cannot is named."""

import pytest

from diono.cli.dockerfile import parse_dockerfile
from diono.cli.outcome import UsageError

TEXT = """
# comment
FROM diono/base
ARG VERSION=1.0
ENV A=1 B="two words"
WORKDIR /home/user
RUN apt-get update && \\
    # in between
    apt-get install -y jq
COPY --chown=user --chmod=755 app.py lib/ /home/user/
EXPOSE 80
USER user
ENTRYPOINT ["python3", "-u"]
CMD ["app.py", "a b"]
"""


def test_every_instruction_becomes_its_step() -> None:
    recipe = parse_dockerfile(TEXT)
    assert recipe.parent == "base"
    assert [(step["type"], step["args"]) for step in recipe.steps] == [
        ("ENV", ["VERSION", "1.0"]),
        ("ENV", ["A", "1", "B", "two words"]),
        ("WORKDIR", ["/home/user"]),
        ("RUN", ["apt-get update && apt-get install -y jq"]),
        ("COPY", ["app.py", "/home/user/", "user", "755"]),
        ("COPY", ["lib/", "/home/user/", "user", "755"]),
        ("USER", ["user"]),
    ]
    assert recipe.sources == {4: "app.py", 5: "lib/"}
    assert recipe.start_command == "python3 -u app.py 'a b'"


@pytest.mark.parametrize(
    ("text", "parent", "image"),
    [
        ("FROM base\n", "base", ""),
        ("FROM --platform=linux/amd64 debian:12\n", "", "debian:12"),
        ("FROM example.org/team/image\n", "", "example.org/team/image"),
    ],
)
def test_a_template_and_an_image_are_told_apart(text: str, parent: str, image: str) -> None:
    recipe = parse_dockerfile(text)
    assert (recipe.parent, recipe.image) == (parent, image)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("RUN true", "before FROM"),
        ("", "no FROM"),
        ("FROM base\nFROM base", "one stage"),
        ("FROM base AS x", "one stage"),
        ("FROM base\nCOPY --from=x a b", "--from"),
        ("FROM base\nCOPY ../secret /x", "outside"),
        ("FROM base\nCOPY /etc/passwd /x", "outside"),
        ("FROM base\nADD https://example.org/x /x", "beside the Dockerfile"),
        ("FROM base\nRUN <<EOF\ntrue\nEOF", "here-documents"),
        ("FROM base\nONBUILD RUN true", "ONBUILD"),
    ],
)
def test_what_cannot_be_kept_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_dockerfile(text)
