"""What this installation has running, on disk before it runs, so that a crash leaves no orphan."""

import json
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter


class LedgerRow(BaseModel):
    model_config = ConfigDict(frozen=True)

    sandbox_id: str
    owner: str
    project: str
    container: str
    workspace: str
    ends_at: float


_ROWS = TypeAdapter(dict[str, LedgerRow])


def write_atomically(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as sink:
        sink.write(content)
        sink.flush()
        os.fsync(sink.fileno())
    temporary.replace(path)


def instance_id(state_dir: Path) -> str:
    """Return the name of this installation; made once, kept for ever."""
    path = state_dir / "instance"
    if not path.exists():
        write_atomically(path, secrets.token_hex(6).encode())
    return path.read_text()


class Ledger:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, LedgerRow] = {}

    def add(self, row: LedgerRow) -> None:
        self._rows[row.sandbox_id] = row
        self._save()

    def remove(self, sandbox_id: str) -> None:
        if self._rows.pop(sandbox_id, None) is not None:
            self._save()

    def clear(self) -> None:
        self._rows.clear()
        self._save()

    def _save(self) -> None:
        write_atomically(self._path, json.dumps(_ROWS.dump_python(self._rows)).encode())
