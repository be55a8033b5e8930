"""One llama.cpp instance: loaded at first use, unloaded when idle, used from worker threads."""

import gc
import importlib
import os
import secrets
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diono.llm.errors import ProviderFailed, RequestRefused
from diono.llm.threads import Reporter

JsonObject = dict[str, Any]

# Its prompt cache defaults to 8 GiB of memory; this holds about 8k tokens of a small model.
_PROMPT_CACHE_MIB = 96
# A stop is noticed between batches: smaller ones answer sooner and prefill no slower on a CPU.
_BATCH_TOKENS = 128
_NICENESS = 5


@dataclass(frozen=True)
class EngineOptions:
    context_tokens: int
    slots: int
    threads: int
    unload_after_seconds: float
    is_for_embeddings: bool = False


def _step_back() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


class LlamaEngine:
    """Synchronous and thread-safe; every method but ``close`` is called in a worker thread."""

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._changed = threading.Condition()
        self._server: Any = None
        self._file: Path | None = None
        self._active = 0
        self._uses = 0
        self._timer: threading.Timer | None = None

    @property
    def active(self) -> int:
        return self._active

    @property
    def is_loaded(self) -> bool:
        return self._server is not None

    def generate(self, file: Path, body: JsonObject, report: Reporter[JsonObject]) -> None:
        """Run one chat completion; each event of llama.cpp goes to ``report``."""
        if report.is_stopped:
            return
        with self._loaded(file) as server:
            report.is_patient = False
            try:
                server.handle_chat_completions(body, report)
            except ValueError as error:
                raise RequestRefused(f"llama.cpp refuses the request: {error}") from error
            except RuntimeError as error:
                raise ProviderFailed(f"llama.cpp failed: {error}. Try again.") from error

    def embed(self, file: Path, texts: Sequence[str]) -> JsonObject:
        """Return llama.cpp's answer, or its error, for the vectors of texts."""
        with self._loaded(file) as server:
            try:
                return server.handle_embeddings({"input": list(texts)})
            except ValueError as error:
                raise RequestRefused(f"llama.cpp refuses the request: {error}") from error
            except RuntimeError as error:
                raise ProviderFailed(f"llama.cpp failed: {error}. Try again.") from error

    def close(self) -> None:
        """Unload at once if idle, otherwise as soon as the last generation has ended."""
        with self._changed:
            self._file = None
            self._arm_unload(0.0)

    @contextmanager
    def _loaded(self, file: Path) -> Generator[Any]:
        with self._changed:
            self._changed.wait_for(lambda: self._active == 0 or self._file == file)
            if self._server is None or self._file != file:
                self._server = None
                self._server = self._load(file)
                self._file = file
            self._active += 1
            self._uses += 1
            server = self._server
        try:
            yield server
        finally:
            del server
            with self._changed:
                self._active -= 1
                self._changed.notify_all()
                if self._active == 0:
                    self._arm_unload(self._options.unload_after_seconds if self._file else 0.0)

    def _load(self, file: Path) -> Any:
        library = importlib.import_module("xllamacpp")
        parameters = library.CommonParams()
        parameters.model.path = str(file)
        parameters.n_ctx = self._options.context_tokens * self._options.slots
        parameters.n_parallel = self._options.slots
        parameters.cpuparams.n_threads = self._options.threads
        parameters.cpuparams_batch.n_threads = self._options.threads
        parameters.n_batch = _BATCH_TOKENS
        parameters.n_ubatch = _BATCH_TOKENS
        if self._options.is_for_embeddings:
            # A text is pooled over one batch, which must hold all of it.
            parameters.embedding = True
            parameters.pooling_type = library.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
            parameters.n_batch = parameters.n_ubatch = self._options.context_tokens
        parameters.cache_ram_mib = _PROMPT_CACHE_MIB
        parameters.use_jinja = True
        parameters.verbosity = -1
        parameters.warmup = False  # half a second that the first question pays anyway
        # The library always opens a loopback port of its own: nobody learns the key to it.
        parameters.api_keys = [secrets.token_urlsafe(32)]
        parameters.n_threads_http = 1
        parameters.ui = False
        parameters.endpoint_slots = False
        try:
            # Its threads inherit the priority of the one that starts them: people's requests come
            # first, and an idle core is used all the same.
            with ThreadPoolExecutor(1, initializer=_step_back) as starter:
                return starter.submit(library.Server, parameters).result()
        except (RuntimeError, ValueError) as error:
            raise ProviderFailed(
                f"llama.cpp cannot load {file}: {error}. The file may be damaged or the memory too "
                "small: delete it and fetch it again, or choose a smaller model."
            ) from error

    def _arm_unload(self, seconds: float) -> None:
        """Unload after ``seconds`` unless the engine is used meanwhile. Called with the lock."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(seconds, self._unload, (self._uses,))
        self._timer.daemon = True
        self._timer.start()

    def _unload(self, uses: int) -> None:
        with self._changed:
            if self._active == 0 and self._uses == uses:
                self._server = None
                gc.collect()
