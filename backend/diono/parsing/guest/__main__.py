"""``python3 -m diono.parsing.guest JOBS.json``: reads documents one after the other.

JOBS.json: a list of ``{"parts": [...], "name": "...", "folder": "...", "seconds": 30}``. Standard
output: JSON lines ``{"progress": {...}}`` and, for each job, one ``{"ended": {...}}`` with ``job``,
``code`` (empty: the folder holds ``result.json``), ``reason``, ``seconds`` and ``peak_memory_mb``.
"""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from diono.parsing.guest import readers
from diono.parsing.guest.refusals import Refused
from diono.parsing.guest.sink import Progress, Sink
from diono.parsing.guest.source import Source

_ADDRESS_BYTES = 3 * 1024**3
_SIGNALS = {
    signal.SIGALRM: ("document_too_slow", "reading it takes longer than a document may"),
    signal.SIGKILL: ("document_too_large", "reading it needs more memory than a document may"),
    signal.SIGXFSZ: ("document_too_large", "what it unfolds to is larger than a file may be"),
}
_UNKNOWN_SIGNAL = ("document_damaged", "it breaks the library that reads its kind of file")


class _NoPandas:
    """Arrow imports pandas for the first list that it sees, only to ask whether it is one of
    pandas' own: half a second and 60 MB for nothing."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def main() -> None:
    sys.meta_path.insert(0, _NoPandas())  # pyright: ignore[reportArgumentType]
    jobs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if len(jobs) > 1:
        # A fork has what is loaded already; one document alone needs only its own reader.
        for name in readers.MODULES:
            readers.load(name)
    for number, job in enumerate(jobs):
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            _read(number, job)
            sys.stdout.flush()
            # Nothing is left to tidy up, which the libraries would take long for.
            os._exit(0)
        _, status, usage = os.wait4(child, 0)
        ended = _ending(Path(job["folder"]), status)
        ended |= {
            "job": number,
            "seconds": round(time.monotonic() - started, 3),
            "peak_memory_mb": round(usage.ru_maxrss / 1024, 1),
        }
        sys.stdout.write(json.dumps({"ended": ended}) + "\n")
        sys.stdout.flush()


def _read(number: int, job: dict[str, Any]) -> None:
    """Read one document in this child, which may die of it."""
    folder = Path(job["folder"])
    folder.mkdir(parents=True, exist_ok=True)

    def refuse(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        code, reason = _told(kind, error)
        told = {"code": code, "reason": reason, "error": f"{kind.__name__} {_place(trace)}"}
        (folder / "refused.json").write_text(json.dumps(told), encoding="utf-8")
        os._exit(1)

    sys.excepthook = refuse
    signal.setitimer(signal.ITIMER_REAL, float(job["seconds"]))
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_BYTES, _ADDRESS_BYTES))
    sink = Sink(folder, Progress(number))
    readers.read(Source([Path(part) for part in job["parts"]], job["name"]), sink)
    sink.finish()


def _told(kind: type[BaseException], error: BaseException) -> tuple[str, str]:
    if isinstance(error, Refused):
        return error.code, error.reason
    if issubclass(kind, MemoryError):
        return _SIGNALS[signal.SIGKILL]
    if issubclass(kind, RecursionError):
        return "document_too_large", "it is nested too deeply"
    if isinstance(error, OSError) and error.errno in (27, 28, 122):
        return "document_too_large", "what it unfolds to needs more room than a document may"
    words = str(error).strip()[:200]
    return (
        "document_damaged",
        f"it cannot be read as what it seems to be ({words or kind.__name__})",
    )


def _place(trace: TracebackType | None) -> str:
    """Return the deepest places of the trace, for whoever mends the readers."""
    places: list[str] = []
    while trace is not None:
        places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(places[-4:])


def _ending(folder: Path, status: int) -> dict[str, Any]:
    if os.WIFSIGNALED(status):
        code, reason = _SIGNALS.get(signal.Signals(os.WTERMSIG(status)), _UNKNOWN_SIGNAL)
        return {"code": code, "reason": reason, "error": f"signal {os.WTERMSIG(status)}"}
    if os.WEXITSTATUS(status) == 0:
        return {"code": "", "reason": ""}
    try:
        return json.loads((folder / "refused.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"code": "document_damaged", "reason": _UNKNOWN_SIGNAL[1], "error": "no reason told"}


if __name__ == "__main__":
    main()
