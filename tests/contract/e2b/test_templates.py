"""Template builds with the unchanged SDK: steps, files, logs, tags, a sandbox from the result."""

from collections.abc import Generator
from pathlib import Path

import docker
import pytest
from contract.e2b.service_rig import Service
from e2b import AsyncTemplate, Sandbox, Template
from e2b.exceptions import BuildException
from e2b.template.logger import LogEntry

from diono.sandbox.config import SandboxConfig
from diono.sandbox.images.layers import layer_repository, template_repository

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


@pytest.fixture(autouse=True, scope="module")
def _images(service: Service) -> Generator[None]:
    """Take away what this service's builds leave in the engine."""
    yield
    config = SandboxConfig(state_dir=Path(service.state_dir))
    client = docker.DockerClient()
    try:
        for repository in (template_repository(config), layer_repository(config)):
            for image in client.images.list(repository):
                for tag in image.tags:
                    client.images.remove(tag, force=True)
    finally:
        client.close()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "app" / "inner").mkdir(parents=True)
    (tmp_path / "app" / "main.py").write_text("print('from the template')\n")
    (tmp_path / "app" / "inner" / "data.txt").write_text("data")
    return tmp_path


def test_template_is_built_and_started(files: Path) -> None:
    template = (
        Template(file_context_path=files)
        .from_base_image()
        .apt_install(["jq"], no_install_recommends=True)
        .pip_install(["colorama"])
        .copy("app", "/opt/app")
        .set_envs({"GREETING": "hello there"})
        .run_cmd('echo "$GREETING" > /home/user/greeting.txt')
        .make_dir("/srv/data", user="root")
        .run_cmd("echo kept > /srv/data/kept.txt", user="root")
        .set_workdir("/opt/app")
    )
    said: list[LogEntry] = []
    built = Template.build(template, "with-jq", tags=["v1", "default"], on_build_logs=said.append)
    assert any("jq" in entry.message for entry in said)
    assert Template.alias_exists("with-jq")
    assert not Template.alias_exists("never-built")
    sandbox = Sandbox.create("with-jq", timeout=60)
    try:
        shown = sandbox.commands.run(
            "echo '{\"a\": 5}' | jq .a; python3 -c 'import colorama'; python3 /opt/app/main.py; "
            "cat /opt/app/inner/data.txt /srv/data/kept.txt"
        )
        assert shown.stdout.split() == ["5", "from", "the", "template", "datakept"]
        assert sandbox.get_info().template_id == built.template_id
        assert sandbox.files.read("/home/user/greeting.txt").strip() == "hello there"
    finally:
        sandbox.kill()
    Template.assign_tags("with-jq:v1", ["stable"])
    assert {tag.tag for tag in Template.get_tags("with-jq")} >= {"v1", "default", "stable"}
    Sandbox.create("with-jq:stable", timeout=60).kill()
    Template.remove_tags("with-jq", ["stable"])
    with pytest.raises(Exception, match="no finished build"):
        Sandbox.create("with-jq:stable", timeout=60)


async def test_failed_step_is_named(files: Path) -> None:
    template = AsyncTemplate(file_context_path=files).from_template("base").run_cmd("false")
    with pytest.raises(BuildException, match="ended with 1"):
        await AsyncTemplate.build(template, "broken")


def test_dockerfile_is_built(files: Path) -> None:
    dockerfile = (
        "FROM python:3.11\nWORKDIR /opt\nCOPY app app\nRUN python3 app/main.py > said.txt\n"
    )
    template = Template(file_context_path=files).from_dockerfile(dockerfile)
    Template.build(template, "from-dockerfile")
    sandbox = Sandbox.create("from-dockerfile", timeout=60)
    try:
        assert sandbox.files.read("/opt/said.txt") == "from the template\n"
    finally:
        sandbox.kill()


@pytest.mark.parametrize(
    "template",
    [
        Template().from_image("alpine:3"),
        Template().from_base_image().pip_install("git+https://example.org/x"),
        Template().from_base_image().set_user("nobody").run_cmd("id"),
        Template().from_base_image().apt_install("a;reboot"),
    ],
)
def test_what_cannot_be_built_is_refused_before_it_starts(template: Template) -> None:
    with pytest.raises(BuildException):
        Template.build(template, "refused")
