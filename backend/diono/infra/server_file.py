"""Where the running server says who and where it is, for the command line on the same machine."""

import fcntl
import json
import os
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ValidationError

from diono.kernel.errors import Conflict


class AlreadyRunning(Conflict):
    code = "already_running"


def lock_data(data_dir: Path) -> IO[str]:
    """Take the data folder for this process: two servers on one would both go on with its runs.

    The lock ends with the returned file or with the process. Raises AlreadyRunning.
    """
    folder = data_dir / "run"
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise AlreadyRunning(
            f"Another server already works on {data_dir}. Use it (`diono tasks`), stop it "
            "(`diono down`), or give this one a folder of its own with DIONO_DATA_DIR."
        ) from None
    return file


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
