"""Each kind of project as a running program behind a preview, on the real engine."""

import asyncio
import json
from urllib.parse import urlsplit

import httpx
import pytest
import websockets

from diono.features.projects.service import sandbox_of
from diono.features.services.service import ProjectServices
from diono.sandbox.port import Sandbox

from . import runner_samples
from .conftest import Api
from .runner_samples import Sample

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]

NIGHTLY = (pytest.mark.slow, pytest.mark.nightly)
HERE = {"Host": "127.0.0.1"}
_BUILD_SECONDS = 600


async def _project(api: Api, sample: Sample) -> str:
    reply = await api.user.post("/api/tasks", json={"prompt": f"A program of {sample.kind}"})
    project_id: str = reply.json()["project_id"]
    sandbox = await _sandbox(api, project_id)
    files = {path: text.encode() for path, text in sample.files.items()}
    await sandbox.write_files(files)
    return project_id


async def _sandbox(api: Api, project_id: str) -> Sandbox:
    owner_id = (await api.user.get("/api/me")).json()["user_id"]
    services: ProjectServices = api.app.state.services
    return await services._sandboxes.open(sandbox_of(owner_id, project_id))


async def _run(api: Api, project_id: str, **wanted: str) -> dict:
    """Run it; a template that is not built yet is waited for."""
    path = f"/api/projects/{project_id}/run"
    async with asyncio.timeout(_BUILD_SECONDS):
        while True:
            reply = await api.user.post(path, json=wanted, timeout=_BUILD_SECONDS, headers=HERE)
            if reply.status_code != 409 or reply.json()["error"] != "template_building":
                break
            await asyncio.sleep(1)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def _end(api: Api, project_id: str) -> None:
    owner_id = (await api.user.get("/api/me")).json()["user_id"]
    await api.app.state.services._sandboxes.delete_workspace(owner_id, project_id)


@pytest.mark.parametrize(
    "sample",
    [
        runner_samples.FLASK_APP,
        runner_samples.STATIC_SITE,
        runner_samples.NODE_SERVER,
        pytest.param(runner_samples.GO_SERVER, marks=NIGHTLY),
        pytest.param(runner_samples.DJANGO_SITE, marks=NIGHTLY),
        pytest.param(runner_samples.VITE_REACT, marks=pytest.mark.slow),
        pytest.param(runner_samples.NEXT_SITE, marks=[*NIGHTLY, pytest.mark.timeout(600)]),
    ],
    ids=lambda sample: sample.kind,
)
async def test_project_is_installed_built_run_and_shown(api: Api, sample: Sample) -> None:
    project_id = await _project(api, sample)
    try:
        for mode in ("development", "production"):
            report = await _run(api, project_id, mode=mode)
            assert report["plan"]["kind"] == sample.kind
            assert report["service"]["is_healthy"]
            print(mode, [(step["name"], step["seconds"]) for step in report["steps"]])
            async with httpx.AsyncClient(timeout=60) as browser:
                page = await browser.get(report["preview"]["url"])
            assert page.status_code == 200, page.text[:2000]
            if sample.kind != "vite" or mode == "development":
                assert sample.shown in page.text
    finally:
        await _end(api, project_id)


@pytest.mark.nightly
@pytest.mark.slow
async def test_vite_tells_the_page_of_an_edit(api: Api) -> None:
    project_id = await _project(api, runner_samples.VITE_REACT)
    try:
        report = await _run(api, project_id)
        url = report["preview"]["url"]
        origin = urlsplit(url).netloc
        async with httpx.AsyncClient(timeout=60) as browser:
            assert (await browser.get(url)).status_code == 200
            client = (await browser.get(f"http://{origin}/@vite/client")).text
            token = client.split("wsToken = ")[1].split('"')[1]
            await browser.get(f"http://{origin}/src/main.jsx")
            assert "hello from vite" in (await browser.get(f"http://{origin}/src/App.jsx")).text
            cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        async with websockets.connect(
            f"ws://{origin}/?token={token}",
            subprotocols=[websockets.Subprotocol("vite-hmr")],
            additional_headers={"Cookie": cookie, "Origin": f"http://{origin}"},
        ) as socket:
            assert json.loads(await socket.recv())["type"] == "connected"
            sandbox = await _sandbox(api, project_id)
            edited = runner_samples.VITE_APP.replace("hello", "bye")
            await sandbox.write_file("src/App.jsx", edited.encode())
            async with asyncio.timeout(20):
                told = json.loads(await socket.recv())
            assert told["type"] == "update"
            assert told["updates"][0]["path"] == "/src/App.jsx"
    finally:
        await _end(api, project_id)
