"""`diono projects import` and `export`: a folder, an archive or a repository in; a file out."""

import asyncio
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from diono.cli.api import Api
from diono.cli.outcome import ServerProblem, UsageError
from diono.cli.projects_api import path_of

JsonObject = dict[str, Any]
_POLL_SECONDS = 0.5
_FORMS = {".zip": "zip", ".bundle": "bundle"}


async def bring_in(api: Api, project_id: str, source: str) -> JsonObject:
    """Import a folder, an archive or an https:// repository and wait for the end. Raises
    UsageError, ServerProblem, RemoteError."""
    if source.startswith("https://"):
        body = {"git_url": source}
    else:
        body = {"file_id": await _uploaded(api, project_id, source)}
    begun = await api.post(path_of(project_id, "imports"), body)
    return await _ended(api, project_id, begun["import_id"])


async def bring_out(api: Api, project_id: str, target: Path) -> int:
    """Write an export to a file that is not there yet; return its size. Raises UsageError."""
    form = _FORMS.get(target.suffix)
    if form is None:
        raise UsageError("name a file that ends in .zip (the files) or .bundle (with the history)")
    content = await api.download(f"{path_of(project_id, 'export')}?form={form}")
    await asyncio.to_thread(_write_new, target, content)
    return len(content)


def _write_new(target: Path, content: bytes) -> None:
    """Raises UsageError."""
    try:
        with target.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from error


async def _uploaded(api: Api, project_id: str, source: str) -> str:
    with tempfile.TemporaryDirectory(prefix="diono-import-") as folder:
        archive, size = await asyncio.to_thread(_archive_of, Path(source), Path(folder))
        begun = await api.post(path_of(project_id, "uploads"), {"name": archive.name, "size": size})
        if begun["is_complete"]:
            return begun["file"]["file_id"]
        return await _sent(api, path_of(project_id, "uploads", begun["upload_id"]), archive, begun)


def _archive_of(source: Path, folder: Path) -> tuple[Path, int]:
    """Return the archive, made below ``folder`` if the source is none, and its size. Raises
    UsageError."""
    if not source.exists():
        raise UsageError(f"there is no {source}; name a folder, an archive or an https:// URL")
    if source.is_dir():
        target = folder / f"{source.resolve().name or 'folder'}.zip"
        _packed(source, target)
        source = target
    return source, source.stat().st_size


async def _sent(api: Api, path: str, archive: Path, state: JsonObject) -> str:
    with archive.open("rb") as file:
        while not state["is_complete"]:
            chunk = await asyncio.to_thread(file.read, state["chunk_bytes"])
            if not chunk:
                raise ServerProblem(f"{archive} became shorter while it was read")
            state = await api.send_chunk(path, chunk, state["offset"])
            _show(f"uploaded {state['offset']} of {state['size']} bytes")
    return state["file"]["file_id"]


def _packed(folder: Path, target: Path) -> None:
    """Zip a folder without links and without its git repository."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for place, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if name != ".git"]
            for name in names:
                path = Path(place) / name
                if path.is_file() and not path.is_symlink():
                    # Below one folder, which the server takes away again.
                    archive.write(path, Path("import") / path.relative_to(folder))


async def _ended(api: Api, project_id: str, import_id: str) -> JsonObject:
    shown = ""
    while True:
        state = await api.get(path_of(project_id, "imports", import_id))
        if state["phase"] != shown:
            shown = state["phase"]
            _show(shown)
        if state["state"] == "failed":
            raise ServerProblem(state["error_detail"])
        if state["state"] == "done":
            return state
        await asyncio.sleep(_POLL_SECONDS)


def _show(line: str) -> None:
    print(f"  {line}", file=sys.stderr)
