"""Databases of our own for tests."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@contextmanager
def postgres_cluster() -> Generator[str]:
    """A PostgreSQL cluster on a unix socket only; yields SQLAlchemy's URL of it."""
    # Not below pytest's folder: its clean-up by another run would take the data of a live server.
    folder = Path(tempfile.mkdtemp(prefix="diono-postgres-"))
    account = pwd.getpwnam("postgres")
    os.chown(folder, account.pw_uid, account.pw_gid)

    def run(*command: str) -> None:
        subprocess.run(
            command, user="postgres", check=True, cwd=folder, stdout=subprocess.DEVNULL,
            env={"PATH": f"{POSTGRES[-1]}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip

    data = str(folder / "data")
    run("initdb", "-D", data, "-A", "trust", "--no-sync")
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"),
        "-o", f"-c listen_addresses= -c unix_socket_directories={folder}", "start")  # fmt: skip
    yield f"postgresql+asyncpg://postgres@/postgres?host={folder}"
    run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder)
