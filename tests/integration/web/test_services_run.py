"""A project as a running program, through HTTP, on the real engine."""

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest
import websockets

from diono.features.projects.service import sandbox_of
from diono.features.services.service import ProjectServices

from .conftest import Api

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]

HERE = {"Host": "127.0.0.1"}
APP = """
from fastapi import FastAPI, WebSocket
app = FastAPI()

@app.get("/")
def read():
    return {"word": "first"}

@app.websocket("/echo")
async def echo(socket: WebSocket):
    await socket.accept()
    await socket.send_text("echo " + await socket.receive_text())
    await socket.close()
"""


async def _project(api: Api, files: dict[str, str]) -> str:
    reply = await api.user.post("/api/tasks", json={"prompt": "A service"})
    project_id: str = reply.json()["project_id"]
    owner_id = (await api.user.get("/api/me")).json()["user_id"]
    services: ProjectServices = api.app.state.services
    sandbox = await services._sandboxes.open(sandbox_of(owner_id, project_id))
    await sandbox.write_files({path: text.encode() for path, text in files.items()})
    return project_id


async def test_web_program_runs_reloads_is_shared_and_stopped(api: Api) -> None:
    project_id = await _project(api, {"main.py": APP})
    base = f"/api/projects/{project_id}"
    reply = await api.user.post(f"{base}/run", json={}, timeout=120, headers=HERE)
    assert reply.status_code == 200, reply.text
    report = reply.json()
    assert (report["plan"]["kind"], report["service"]["is_healthy"]) == ("fastapi", True)

    url = report["preview"]["url"]
    origin = urlsplit(url)
    async with httpx.AsyncClient() as browser:
        assert (await browser.get(url)).json() == {"word": "first"}
        assert (await httpx.AsyncClient().get(f"http://{origin.netloc}/")).status_code == 403
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        async with websockets.connect(
            f"ws://{origin.netloc}/echo",
            additional_headers={"Cookie": cookie, "Origin": f"http://{origin.netloc}"},
        ) as socket:
            await socket.send("hello")
            assert await socket.recv() == "echo hello"
        owner_id = (await api.user.get("/api/me")).json()["user_id"]
        sandbox = await api.app.state.services._sandboxes.find(owner_id, project_id)
        await sandbox.write_file("main.py", APP.replace("first", "second").encode())
        async with asyncio.timeout(20):
            while True:
                shown = await browser.get(f"http://{origin.netloc}/")
                if shown.status_code == 200 and shown.json() == {"word": "second"}:
                    break

    shared = await api.user.post(f"{base}/preview/share", json={"hours": 1}, headers=HERE)
    assert shared.status_code == 201, shared.text
    async with httpx.AsyncClient() as visitor:
        assert (await visitor.get(shared.json()["url"])).json() == {"word": "second"}
        assert (await api.user.delete(f"{base}/preview/share")).status_code == 204
        assert (await visitor.get(f"http://{origin.netloc}/")).status_code == 403
        assert (await visitor.get(shared.json()["url"])).status_code == 403

    logs = (await api.user.get(f"{base}/services/app/logs")).json()
    assert "Uvicorn running" in logs["text"]
    rest = await api.user.get(f"{base}/services/app/logs", params={"cursor": logs["next_cursor"]})
    assert "Uvicorn running" not in rest.json()["text"]
    assert (await api.user.post(f"{base}/services/app/restart")).json()["is_healthy"]
    assert (await api.user.delete(f"{base}/services/app")).status_code == 204
    assert (await api.user.get(f"{base}/services")).json() == {"services": []}
    gone = await api.user.get(f"{base}/services/app")
    assert (gone.status_code, gone.json()["error"]) == (404, "service_missing")


async def test_worker_of_ones_own_is_restarted_when_it_dies(api: Api) -> None:
    project_id = await _project(api, {"worker.py": "import time\ntime.sleep(600)\n"})
    base = f"/api/projects/{project_id}"
    body = {"name": "worker", "argv": ["python3", "worker.py"]}
    started = await api.user.post(f"{base}/services", json=body)
    assert (started.status_code, started.json()["is_running"]) == (201, True)
    killed = await api.user.post(f"{base}/services/worker/signal", json={"signal": "KILL"})
    assert killed.status_code == 200
    async with asyncio.timeout(20):
        while True:
            status = (await api.user.get(f"{base}/services/worker")).json()
            if status["restarts"] >= 1 and status["is_running"]:
                break
    shown = await api.user.post(f"{base}/preview", params={"service": "worker"})
    assert (shown.status_code, shown.json()["error"]) == (409, "no_port")


async def test_what_cannot_be_run_says_so(api: Api) -> None:
    project_id = await _project(api, {"README.md": "nothing"})
    nothing = await api.user.post(f"/api/projects/{project_id}/run", json={})
    assert (nothing.status_code, nothing.json()["error"]) == (409, "nothing_to_run")
    broken = await _project(api, {"main.py": "app = FastAPI()\n"})
    body = {"mode": "production"}
    failed = await api.user.post(f"/api/projects/{broken}/run", json=body, timeout=90)
    assert (failed.status_code, failed.json()["error"]) == (409, "service_not_started")
    assert "NameError" in failed.json()["detail"]
