"""One person in front of the dashboard."""

import json
import time
from dataclasses import dataclass
from typing import Any

from e2e.live_server import LiveServer
from playwright.async_api import BrowserContext, Page

from diono.settings import REPOSITORY

AXE = REPOSITORY / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SCRIPTED = "scripted/script"
SESSION_KEY = "diono.session"


@dataclass
class Visitor:
    """One person at the dashboard; a script error on any page fails the test at its end."""

    server: LiveServer
    context: BrowserContext
    page: Page
    problems: list[str]

    async def sign_in_by_form(self) -> None:
        await self.page.get_by_label("User name").fill(self.server.username)
        await self.page.get_by_label("Password").fill(self.server.password)
        await self.page.get_by_role("button", name="Sign in").click()

    async def sign_in(self) -> None:
        """Begin a session without the form."""
        session = {
            "token": self.server.token(),
            "expiresAt": (time.time() + 1800) * 1000,
            "lifetimeSeconds": 1800,
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

    async def accessibility_problems(self) -> list[str]:
        await self.page.evaluate(AXE.read_text())
        result: dict[str, Any] = await self.page.evaluate("axe.run({iframes: false})")
        return [
            f"{violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
