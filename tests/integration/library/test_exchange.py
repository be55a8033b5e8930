"""Projects in and out: archives are unpacked in the project's sandbox, exports made there."""

import asyncio
import io
import subprocess
import tarfile
import zipfile
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from integration.files.conftest import Desk, desk_of, signed_in

from diono.main import create_app
from diono.settings import Settings

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def user(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    folder = tmp_path_factory.mktemp("exchange") / "data"
    settings = Settings(data_dir=folder, ollama_host="off", sandbox_listen="", workers="0")
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        client = await signed_in(app)
        client.headers["X-Test"] = "exchange"
        yield client
        await client.aclose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(user: httpx.AsyncClient) -> Desk:
    transport: Any = user._transport
    return await desk_of(transport.app, user)


def zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


async def git(folder: Path, *arguments: str) -> str:
    run = partial(subprocess.run, cwd=folder, check=True, capture_output=True, text=True)
    done = await asyncio.to_thread(run, ["git", *arguments], timeout=30)
    return done.stdout


async def imported(desk: Desk, content: bytes) -> dict[str, Any]:
    """Upload an archive, import it, and return how that ended."""
    file = await desk.upload("archive.zip", content)
    body = {"file_id": file["file_id"]}
    begun = await desk.client.post(f"{desk.path}/imports", json=body)
    assert begun.status_code == 202, begun.text
    path = f"{desk.path}/imports/{begun.json()['import_id']}"
    for _ in range(900):
        state = (await desk.client.get(path)).json()
        if state["state"] != "running":
            return state
        await asyncio.sleep(0.1)
    raise AssertionError(state)


async def test_a_project_goes_in_and_comes_out(desk: Desk, tmp_path: Path) -> None:
    files = {"app/main.py": b"print('hello')\n", "app/data/x.csv": b"a,b\n1,2\n"}
    state = await imported(desk, zipped(files))
    assert (state["state"], state["file_count"], state["progress"]) == ("done", 2, 1.0), state
    reply = await desk.client.get(f"{desk.path}/export", params={"form": "zip"})
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert archive.read("main.py") == b"print('hello')\n"
        assert archive.read("data/x.csv") == b"a,b\n1,2\n"
        assert not any(name.startswith(".diono") for name in archive.namelist())
    # A second one is laid over the first; what was there stays in the history.
    state = await imported(desk, zipped({"main.py": b"print('again')\n", "b.txt": b"b"}))
    assert state["state"] == "done"
    bundle = await desk.client.get(f"{desk.path}/export", params={"form": "bundle"})
    assert bundle.headers["Content-Disposition"].startswith('attachment; filename="Desk.bundle"')
    (tmp_path / "project.bundle").write_bytes(bundle.content)
    await git(tmp_path, "clone", "-q", "project.bundle", "copy")
    assert (tmp_path / "copy/main.py").read_text() == "print('again')\n"
    assert (tmp_path / "copy/data/x.csv").exists()
    assert "Import" in await git(tmp_path / "copy", "log", "--format=%s")


async def test_a_hostile_archive_changes_nothing(desk: Desk) -> None:
    before = await desk.client.get(f"{desk.path}/export", params={"form": "zip"})
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
    for content in (zipped({"ok": b"x", "../../up": b"up"}), target.getvalue(), b"no archive"):
        state = await imported(desk, content)
        assert (state["state"], state["error_code"]) == ("failed", "archive_refused"), state
    after = await desk.client.get(f"{desk.path}/export", params={"form": "zip"})
    names = [
        sorted(zipfile.ZipFile(io.BytesIO(reply.content)).namelist()) for reply in (before, after)
    ]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.org/a.git", "import_source_refused"),
        ("file:///etc", "import_source_refused"),
        ("ssh://git@example.org/a.git", "import_source_refused"),
        ("https://user:secret@example.org/a.git", "import_source_refused"),
        ("ext::sh -c id", "import_source_refused"),
        ("https://127.0.0.1/a.git", "address_refused"),
        ("https://169.254.169.254/latest", "address_refused"),
        ("https://2130706433/a.git", "address_refused"),
    ],
)
async def test_a_repository_elsewhere_than_the_public_internet_is_refused(
    desk: Desk, url: str, code: str
) -> None:
    reply = await desk.client.post(f"{desk.path}/imports", json={"git_url": url})
    assert (reply.status_code, reply.json()["error"]) == (422, code)
    assert "secret" not in reply.text
