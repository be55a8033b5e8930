"""Where the running server says who and where it is, for the command line on the same machine."""

import json
import os
from pathlib import Path

from pydantic import BaseModel, ValidationError


class ServerFile(BaseModel):
    pid: int
    url: str

    @staticmethod
    def path(data_dir: Path) -> Path:
        return data_dir / "run" / "server.json"

    @classmethod
    def read(cls, data_dir: Path) -> "ServerFile | None":
        """Return the server's note if its process still lives."""
        try:
            note = cls.model_validate_json(cls.path(data_dir).read_text())
            os.kill(note.pid, 0)
        except (OSError, ValidationError):
            return None
        return note

    def write(self, data_dir: Path) -> None:
        path = self.path(data_dir)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.model_dump()))

    @classmethod
    def remove(cls, data_dir: Path) -> None:
        cls.path(data_dir).unlink(missing_ok=True)


class OneTimePassword:
    """The first admin's password, kept for its owner's eyes until it has been shown once."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "run" / "first-admin"

    def keep(self, username: str, password: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{username}\n{password}\n")

    def take(self) -> tuple[str, str] | None:
        """Return (user name, password) the first time, None ever after."""
        try:
            username, password = self._path.read_text().split()
            self._path.unlink()
        except (OSError, ValueError):
            return None
        return username, password
