"""One person in front of the dashboard."""

import json
import time
from dataclasses import dataclass
from typing import Any

import httpx
from e2e.live_server import LiveServer
from playwright.async_api import BrowserContext, Locator, Page

from diono.settings import REPOSITORY

AXE = REPOSITORY / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SCRIPTED = "scripted/script"
SESSION_KEY = "diono.session"
PATIENCE_SECONDS = 45.0
ENDS = ("SUCCEEDED", "FAILED", "CANCELLED")


@dataclass
class Visitor:
    """One person at the dashboard; a script error on any page fails the test at its end."""

    server: LiveServer
    context: BrowserContext
    page: Page
    problems: list[str]
    token: str = ""

    async def sign_in_by_form(self) -> None:
        await self.page.get_by_label("User name").fill(self.server.username)
        await self.page.get_by_label("Password").fill(self.server.password)
        await self.page.get_by_role("button", name="Sign in").click()

    async def sign_in(self) -> None:
        """Begin a session without the form."""
        tokens = self.server.sign_in()
        self.token = tokens["access_token"]
        session = {
            "token": self.token,
            "expiresAt": (time.time() + tokens["expires_in"]) * 1000,
            "lifetimeSeconds": tokens["expires_in"],
            "refreshToken": tokens["refresh_token"],
            "refreshExpiresAt": (time.time() + tokens["refresh_expires_in"]) * 1000,
        }
        line = f"localStorage.setItem({json.dumps(SESSION_KEY)}, {json.dumps(json.dumps(session))})"
        origin = json.dumps(self.server.url)
        await self.context.add_init_script(f"if (location.origin === {origin}) {line}")

    async def build(self, prompt: str, model: str = SCRIPTED) -> str:
        """Describe, choose, send; returns the task's id once its page is shown."""
        await self.page.goto(self.server.url)
        await self.page.get_by_label("What should be built?").fill(prompt)
        await self.page.get_by_label("Model").select_option(model)
        await self.page.get_by_role("button", name="Build it").click()
        await self.page.wait_for_url("**/tasks/*")
        return self.page.url.rsplit("/", 1)[-1].split("?")[0]

    async def open_task(self, task_id: str) -> None:
        await self.page.goto(f"{self.server.url}/tasks/{task_id}")

    async def leads_to_task(self, button: Locator) -> str:
        """Click and return the id of the other task whose page is then shown."""
        before = self.page.url
        await button.click()
        await self.page.wait_for_url(lambda url: url != before and "/tasks/" in url)
        return self.page.url.rsplit("/", 1)[-1]

    async def call(self, method: str, path: str, **body: Any) -> Any:
        """Ask the API itself, as the signed-in user."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=self.server.url, trust_env=False) as client:
            reply = await client.request(
                method, path, json=body or None, headers=headers, timeout=PATIENCE_SECONDS
            )
        assert reply.is_success, reply.text
        return reply.json() if reply.content else None

    async def state(self, task_id: str) -> dict[str, Any]:
        return await self.call("GET", f"/api/tasks/{task_id}/state")

    async def state_after(self, task_id: str, status: str) -> dict[str, Any]:
        """Return the task's state once it has this status; fail if it ends otherwise."""
        seen = 0
        while (state := await self.state(task_id))["status"] != status:
            assert state["status"] not in ENDS, state["error"]
            path = f"/api/tasks/{task_id}/events?since_event_id={seen}&wait=20"
            seen = (await self.call("GET", path))["last_event_id"]
        return state

    async def accessibility_problems(self) -> list[str]:
        await self.page.evaluate(AXE.read_text())
        result: dict[str, Any] = await self.page.evaluate("axe.run({iframes: false})")
        return [
            f"{violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
