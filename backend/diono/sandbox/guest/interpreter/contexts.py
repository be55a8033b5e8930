"""The contexts of a sandbox: one process each, started when it is first used."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from ..tenant import Tenant
from ..wire import HttpError
from . import languages
from .forks import Forks
from .kernels import Kernel
from .stream import Stream

CONTEXTS_LIMIT = 64
_LOOK_SECONDS = 0.25


class Context:
    """Cells of one context run one after another, in the order they came."""

    def __init__(self, context_id: str, language: languages.Language, cwd: str) -> None:
        self.context_id = context_id
        self.language = language.name
        self.cwd = cwd
        self._language = language
        self._lock = threading.Lock()
        self._kernel: Kernel | None = None
        self._forks: Forks | None = None
        self._tenant: Tenant | None = None
        self._count = 0

    def bind(self, forks: Forks, tenant: Tenant) -> Context:
        self._forks, self._tenant = forks, tenant
        return self

    def warm_up(self) -> None:
        """Start the process."""
        with self._lock:
            self._started()

    def _started(self) -> Kernel:
        assert self._forks is not None  # noqa: S101 - set by bind
        assert self._tenant is not None  # noqa: S101 - set by bind
        if self._kernel is None or not self._kernel.is_alive():
            env = self._tenant.environment(self._tenant.user)
            self._kernel = Kernel(self._forks, self._language, env, self.cwd)
            self._count = 0
        return self._kernel

    def execute(self, code: str, env: dict[str, str], stream: Stream) -> None:
        """Run a cell; what it says goes to ``stream``. A client that leaves stops it."""
        while not self._lock.acquire(timeout=_LOOK_SECONDS):
            if stream.look():
                return
        try:
            kernel = self._started()
            self._count += 1
            stream.write({"type": "number_of_executions", "execution_count": self._count})
            problem = kernel.execute(code, self._environment(env), self._count, stream)
            if problem is not None:
                self._replace(kernel)
                stream.write(problem)
            stream.write({"type": "end_of_execution"})
        finally:
            self._lock.release()

    def _environment(self, env: dict[str, str]) -> dict[str, str]:
        """What the sandbox and this cell set; a kernel may be older than the sandbox's claim."""
        assert self._tenant is not None  # noqa: S101 - set by bind
        return {**self._tenant.env, **env}

    def _replace(self, kernel: Kernel) -> None:
        kernel.close()
        if self._kernel is kernel:
            self._kernel = None

    def restart(self) -> None:
        """Forget all state; a cell that runs ends with an error."""
        kernel = self._kernel
        if kernel is not None:
            kernel.stop("ContextRestarting", "the context was restarted")
        with self._lock:
            if kernel is not None:
                self._replace(kernel)

    def close(self) -> None:
        kernel = self._kernel
        if kernel is not None:
            kernel.stop("ContextRemoved", "the context was removed")
        with self._lock:
            if self._kernel is not None:
                self._replace(self._kernel)


def _new_id() -> str:
    """Return a random UUID. Our own: uuid would cost memory in every sandbox."""
    text = os.urandom(16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


class Contexts:
    """Errors: HttpError 404 for an unknown context, 400 for a language that is not there."""

    def __init__(self, forks: Forks, tenant: Tenant) -> None:
        self._forks = forks
        self._tenant = tenant
        self._lock = threading.Lock()
        self._contexts: dict[str, Context] = {}
        self._defaults: dict[str, Context] = {}

    def _add(self, language: languages.Language, cwd: str) -> Context:
        if len(self._contexts) >= CONTEXTS_LIMIT:
            raise HttpError(429, f"there are {CONTEXTS_LIMIT} contexts; remove one first")
        context = Context(_new_id(), language, cwd).bind(self._forks, self._tenant)
        self._contexts[context.context_id] = context
        return context

    def default(self, name: str) -> Context:
        """Return the context that cells of a language share when they name none."""
        language = languages.find(name)
        with self._lock:
            context = self._defaults.get(language.name)
            if context is None:
                context = self._defaults[language.name] = self._add(language, self._tenant.home)
        return context

    def create(self, name: str, cwd: str) -> Context:
        language = languages.find(name)
        try:
            os.makedirs(cwd, exist_ok=True)
        except OSError as error:
            raise HttpError(400, f"cwd {cwd}: {error.strerror}") from error
        with self._lock:
            context = self._add(language, cwd)
        try:
            context.warm_up()
        except OSError as error:
            self.remove(context.context_id)
            raise HttpError(503, f"no process for the context: {error.strerror}") from error
        return context

    def find(self, context_id: str) -> Context:
        with self._lock:
            context = self._contexts.get(context_id)
        if context is None:
            raise HttpError(404, f"Context {context_id[:100]} not found")
        return context

    def all(self) -> Sequence[Context]:
        """Return all; the default ones of Python and JavaScript are there from the start."""
        self.default("python")
        if languages.is_in_image("node"):
            self.default("javascript")
        with self._lock:
            first = list(self._defaults.values())
            return [*first, *(each for each in self._contexts.values() if each not in first)]

    def remove(self, context_id: str) -> None:
        context = self.find(context_id)
        with self._lock:
            self._contexts.pop(context_id, None)
            if self._defaults.get(context.language) is context:
                del self._defaults[context.language]
        context.close()
