"""What the steps of a template build come to, and which are refused."""

import pytest

from diono.kernel.errors import InvalidInput
from diono.sandbox.images.steps import Manager, StepData, installs_of, plan_of


def _step(kind: str, *args: str, files: str = "") -> StepData:
    return StepData.model_validate({"type": kind, "args": args, "filesHash": files})


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            (
                "apt-get update && LANG=C apt-get install -y jq=1.6 curl && "
                "rm -rf /var/lib/apt/lists/*"
            ),
            [(Manager.APT, ["jq=1.6", "curl"])],
        ),
        ("pip install --no-cache-dir 'httpx>=0.27' rich", [(Manager.PIP, ["httpx>=0.27", "rich"])]),
        ("python3 -m pip install rich", [(Manager.PIP, ["rich"])]),
        ("npm install -g @types/node@24.1.0 tsx", [(Manager.NPM, ["@types/node@24.1.0", "tsx"])]),
        ("apt-get update", []),
        ("npm install", None),
        ("echo apt-get install jq", None),
        ("make && make install", None),
        ("echo 'open", None),
    ],
)
def test_installs_are_seen(command: str, expected: object) -> None:
    assert installs_of(command) == expected


@pytest.mark.parametrize(
    "step",
    [
        _step("RUN", "pip install git+https://example.org/x"),
        _step("RUN", "pip install -r requirements.txt"),
        _step("RUN", "pip install ./here"),
        _step("RUN", "pip install $(cat names)"),
        _step("RUN", "apt-get install -y ./local.deb"),
        _step("RUN", "apt-get install -o Dpkg::Pre-Invoke::=id jq"),
        _step("RUN", "npm install -g user/repository"),
        _step("RUN", "npm install -g https://example.org/x.tgz"),
        _step("RUN", "pip install rich && ./mine"),
        _step("RUN"),
        _step("APT", "--allow-unauthenticated"),
        _step("NPM", "-x"),
        _step("COPY", "a", "b"),
        _step("COPY", "../a", "b", files="0" * 64),
        _step("COPY", "a", "b", "", "9999", files="0" * 64),
        _step("COPY", "a", "b", "nobody", "", files="0" * 64),
        _step("ENV", "NAME"),
        _step("ENV", "BAD NAME", "x"),
        _step("USER", "nobody"),
        _step("ONBUILD", "RUN x"),
    ],
)
def test_bad_step_is_refused_by_its_number(step: StepData) -> None:
    with pytest.raises(InvalidInput, match="step 2"):
        plan_of([_step("RUN", "true"), step])


def test_steps_keep_user_folder_and_variables() -> None:
    plan = plan_of(
        [
            _step("USER", "root"),
            _step("ENV", "A", "b"),
            _step("WORKDIR", "/srv"),
            _step("WORKDIR", "app"),
            _step("COPY", "x", "inner/", files="0" * 64),
            _step("USER", "user"),
            _step("RUN", "id"),
            _step("PIP", "rich"),
        ]
    )
    copied, ran = plan.actions[-2:]
    assert (copied.is_root, copied.target) == (True, "/srv/app/inner/")
    assert (ran.is_root, ran.cwd, ran.env) == (False, "/srv/app", (("A", "b"),))
    assert plan.packages[Manager.PIP] == ["rich"]
