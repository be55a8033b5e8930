"""What an import does in a sandbox: clone a repository there, unpack an archive there."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from diono.features.library.errors import (
    ArchiveRefused,
    ArchiveTooLarge,
    CloneFailed,
    SourceRefused,
)
from diono.features.library.schemas import CreateImport
from diono.features.library.service.transfer import run
from diono.sandbox.port import ExecRequest, Sandbox

MOST_FILES = 20_000
MOST_BYTES = 512 * 1024 * 1024
FOLDER = ".diono-import"
ARCHIVE = f"{FOLDER}/archive"
_TREE = f"{FOLDER}/tree"
_UNPACKER = Path(__file__).with_name("unpacker.py")
_UNPACK_SECONDS = 120.0
_CLONE_SECONDS = 300.0
# One commit, no submodules, no large-file filters, no hooks or templates, no other protocols.
_CLONE = """set -eu
rm -rf source archive.tar
git -c core.hooksPath=/dev/null -c http.followRedirects=false -c protocol.allow=never \
  -c protocol.https.allow=always -c filter.lfs.smudge= -c filter.lfs.required=false \
  -c core.symlinks=false -c transfer.fsckObjects=true \
  clone -q --depth 1 --single-branch --no-tags --no-recurse-submodules --template= \
  --no-checkout ${2:+--branch "$2"} -- "$1" source
git -C source -c core.attributesFile=/dev/null archive --format=tar -o ../archive.tar HEAD
"""


async def cloned(sandbox: Sandbox, wanted: CreateImport) -> None:
    """Raises CloneFailed. A password is in the environment of this one command only."""
    environment = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C",
                   "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_LFS_SKIP_SMUDGE": "1"}  # fmt: skip
    if wanted.password is not None:
        pair = f"{wanted.username or 'git'}:{wanted.password.get_secret_value()}"
        told = base64.b64encode(pair.encode()).decode()
        environment |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {told}",
        }
    done = await sandbox.execute(
        ExecRequest(
            argv=("sh", "-c", _CLONE, "clone", str(wanted.git_url), wanted.branch or ""),
            env=environment,
            timeout_seconds=_CLONE_SECONDS,
        )
    )
    if not done.is_success:
        detail = done.stderr.strip()[-300:] or done.reason.value
        raise CloneFailed(f"git could not fetch the repository: {detail}")


async def passed_on(content: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Close a stream that is passed on."""
    async with contextlib.aclosing(content):
        async for piece in content:
            yield piece


async def unpacked(sandbox: Sandbox, kind: str) -> tuple[int, str]:
    """Return the number of files, and the folder they are in. Raises ArchiveRefused,
    ArchiveTooLarge."""
    program = await asyncio.to_thread(_UNPACKER.read_bytes)
    limits = (str(MOST_FILES), str(MOST_BYTES))
    argv = ("python3", "-I", "-", kind, ARCHIVE, _TREE, *limits)
    done = await run(sandbox, argv, stdin=program, seconds=_UNPACK_SECONDS)
    try:
        told = cast("dict[str, object]", json.loads(done.stdout.splitlines()[-1]))
        if "error" in told:
            refusal = ArchiveTooLarge if told["error"] == "archive_too_large" else ArchiveRefused
            raise refusal(f"The archive is not taken: {str(told['detail'])[:300]}.")
        top = str(told["top"])
        if top != _TREE and not top.startswith(f"{_TREE}/"):
            raise ArchiveRefused("The archive could not be unpacked.")
        return int(str(told["files"])), top
    except (ValueError, KeyError, IndexError, TypeError) as error:
        detail = done.stderr.strip()[-200:] or done.reason.value
        raise ArchiveRefused(f"The archive could not be unpacked: {detail}") from error


def check_url(url: str) -> None:
    """Raises SourceRefused."""
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme == "https" and bool(parts.hostname)
        is_plain = is_plain and parts.username is None and parts.password is None
        is_plain = is_plain and not (parts.query or parts.fragment) and url.isprintable()
    except ValueError:
        is_plain = False
    if not is_plain:
        raise SourceRefused(
            "A repository's address is https://HOST/PATH.git, without a user name, password, "
            "query or fragment. Give credentials in `username` and `password`."
        )
