"""A peer of ours, held open in a process of its own: `python peer_worker.py NAME IMAGE`.

Needs nothing but the standard library and the peer's own package, so that any Python can run it.
For each line on standard input it does one thing and answers with one line of JSON:
``exec`` runs `python3 -c pass` in the open sandbox; ``fresh`` does so in a new one and removes
it. It starts with a line that says whether the peer works here.
"""

import asyncio
import contextlib
import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

_CODE = "pass"


def _check(answer: Any) -> None:
    if answer.exit_code != 0:
        raise RuntimeError(str(answer))


class _LlmSandbox:
    def __init__(self, image: str) -> None:
        self._kind = importlib.import_module("llm_sandbox").SandboxSession
        self._image = image
        self._session = self._open()

    def _open(self) -> Any:
        session = self._kind(lang="python", image=self._image, keep_template=True)
        session.open()
        return session

    def execute(self) -> None:
        answer = self._session.execute_command(f"python3 -c {_CODE}")
        _check(answer)

    def fresh(self) -> None:
        session = self._open()
        try:
            answer = session.execute_command(f"python3 -c {_CODE}")
            _check(answer)
        finally:
            session.close()

    def close(self) -> None:
        self._session.close()


class _SweRex:
    def __init__(self, image: str) -> None:
        self._docker = importlib.import_module("swerex.deployment.docker").DockerDeployment
        self._command = importlib.import_module("swerex.runtime.abstract").Command
        self._image = image
        self._loop = asyncio.new_event_loop()
        self._deployment = self._loop.run_until_complete(self._start())

    async def _start(self) -> Any:
        deployment = self._docker(image=self._image, pull="never")
        await deployment.start()
        return deployment

    async def _run(self, deployment: Any) -> None:
        command = self._command(command=["python3", "-c", _CODE])
        answer = await deployment.runtime.execute(command)
        _check(answer)

    async def _fresh(self) -> None:
        deployment = await self._start()
        try:
            await self._run(deployment)
        finally:
            await deployment.stop()

    def execute(self) -> None:
        self._loop.run_until_complete(self._run(self._deployment))

    def fresh(self) -> None:
        self._loop.run_until_complete(self._fresh())

    def close(self) -> None:
        self._loop.run_until_complete(self._deployment.stop())


class _AutoGen:
    def __init__(self, image: str) -> None:
        module = importlib.import_module("autogen_ext.code_executors.docker")
        core = importlib.import_module("autogen_core")
        code = importlib.import_module("autogen_core.code_executor")
        self._kind = module.DockerCommandLineCodeExecutor
        self._token = core.CancellationToken
        self._block = code.CodeBlock(language="python", code=_CODE)
        self._image = image
        self._folders: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._executor = self._loop.run_until_complete(self._start())

    async def _start(self) -> Any:
        # Its folder is made for root only; the image's user is another.
        folder = tempfile.mkdtemp(prefix="diono-bench-autogen-")
        os.chmod(folder, 0o755)  # noqa: S103
        self._folders.append(folder)
        executor = self._kind(image=self._image, work_dir=folder)
        await executor.start()
        return executor

    async def _run(self, executor: Any) -> None:
        answer = await executor.execute_code_blocks([self._block], self._token())
        _check(answer)

    async def _fresh(self) -> None:
        executor = await self._start()
        try:
            await self._run(executor)
        finally:
            await executor.stop()

    def execute(self) -> None:
        self._loop.run_until_complete(self._run(self._executor))

    def fresh(self) -> None:
        self._loop.run_until_complete(self._fresh())

    def close(self) -> None:
        self._loop.run_until_complete(self._executor.stop())
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)


_PEERS = {"llm-sandbox": _LlmSandbox, "swe-rex": _SweRex, "autogen": _AutoGen}


def _timed(action: Callable[[], None]) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        action()
    except Exception as error:  # noqa: BLE001  a peer may raise whatever it likes
        return {"problem": f"{type(error).__name__}: {error}"[:300]}
    return {"seconds": time.perf_counter() - started}


def main(name: str, image: str) -> None:
    # What a peer prints must not get among the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        peer = _PEERS[name](image)
    except Exception as error:  # noqa: BLE001  not installed, or unable to start: both are told
        answers.write(json.dumps({"problem": f"{type(error).__name__}: {error}"[:300]}) + "\n")
        return
    answers.write(json.dumps({"ready": True}) + "\n")
    actions = {"exec": peer.execute, "fresh": peer.fresh}
    for line in sys.stdin:
        answers.write(json.dumps(_timed(actions[line.strip()])) + "\n")
    with contextlib.suppress(Exception):
        peer.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
