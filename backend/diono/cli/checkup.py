"""What `diono doctor` looks at. Each finding that is not well names its fix."""

import shutil
from dataclasses import asdict, dataclass
from typing import Any

from diono.cli.connect import main_module, open_catalog
from diono.cli.prepare import CHECKOUT
from diono.cli.server import find_server, why_not_free
from diono.features.models.service import list_models
from diono.infra.database import Database
from diono.kernel.errors import DionoError
from diono.llm.probe import probe_ollama
from diono.settings import Settings
from diono.setup import frontend, image, packages
from diono.setup.engine_probe import probe
from diono.setup.libraries import OPENMP, has_library

_GIGABYTE = 1_000_000_000
_NEEDED_BYTES = 2 * _GIGABYTE


@dataclass(frozen=True)
class Finding:
    """``is_needed`` findings fail the doctor; the others only tell."""

    name: str
    is_ok: bool
    detail: str
    fix: str = ""
    is_needed: bool = True

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def engine(settings: Settings) -> Finding:
    answer = probe(settings.docker_host)
    if answer.is_running:
        return Finding("engine", is_ok=True, detail=f"Docker {answer.version} at {answer.host}")
    if shutil.which("dockerd") is None:
        fix = f"./diono setup engine (as root), or: {packages.install_hint(['docker.io'])}"
    else:
        fix = "./diono setup engine (as root), or: sudo systemctl start docker"
    return Finding("engine", is_ok=False, detail=answer.problem, fix=fix)


def base_image(settings: Settings) -> Finding:
    if tag := image.built_image(CHECKOUT, settings):
        return Finding("image", is_ok=True, detail=tag)
    detail = "the sandbox image of this version is not in the engine"
    return Finding("image", is_ok=False, detail=detail, fix="./diono setup image")


async def model(settings: Settings) -> Finding:
    catalog = open_catalog(settings)
    try:
        models = await list_models(catalog)
    finally:
        await catalog.close()
    if str(models.default).startswith("embedded/") and not has_library(OPENMP):
        detail = f"{models.default} is here, but the system library {OPENMP[0]} is not"
        return Finding("model", is_ok=False, detail=detail, fix=packages.install_hint([OPENMP[1]]))
    if models.default:
        return Finding("model", is_ok=True, detail=f"{models.default}: {models.reason}")
    fix = f"./diono setup model. {models.problem}"
    return Finding("model", is_ok=False, detail="no model is available", fix=fix)


async def ollama(settings: Settings) -> Finding:
    results = await probe_ollama(settings.ollama_host)
    found = [result for result in results if result.version]
    if found:
        best = found[0]
        detail = f"version {best.version} at {best.url} ({best.place})"
        return Finding("ollama", is_ok=True, detail=detail, is_needed=False)
    tried = "; ".join(f"{result.place} {result.url}: {result.detail}" for result in results)
    fix = "optional: start Ollama (ollama serve), or set OLLAMA_HOST to where it runs"
    return Finding("ollama", is_ok=False, detail=f"tried {tried}", fix=fix, is_needed=False)


async def database(settings: Settings) -> Finding:
    main = main_module()
    url: str = main.database_url(settings)
    shown = url.rsplit("@", 1)[-1]
    file = settings.data_dir / "diono.sqlite"
    if not settings.database_url and not file.exists():
        return Finding("database", is_ok=True, detail=f"{file} is made at the first start")
    opened: Database = main.Database(url)
    try:
        revision = await main.current_revision(opened)
    except (DionoError, OSError) as error:
        fix = "see that the database runs and DATABASE_URL is right"
        return Finding("database", is_ok=False, detail=f"{shown}: {error}", fix=fix)
    finally:
        await opened.close()
    if revision is None:
        fix = "see that it can be reached and written; a new one is filled by `diono up`"
        return Finding("database", is_ok=False, detail=f"{shown} has no schema of ours", fix=fix)
    return Finding("database", is_ok=True, detail=f"{shown}, schema {revision}")


def ports(settings: Settings) -> Finding:
    server = find_server(settings)
    if server is not None:
        return Finding("ports", is_ok=True, detail=f"the server runs at {server.url}")
    reason = why_not_free(settings.host, settings.port)
    if reason:
        fix = f"./diono up --port {settings.port + 1}, or set DIONO_PORT"
        return Finding("ports", is_ok=False, detail=f"port {settings.port}: {reason}", fix=fix)
    low, high = (int(part) for part in settings.preview_ports.split("-"))
    free = sum(not why_not_free(settings.host, port) for port in range(low, high + 1))
    if not free:
        fix = "set DIONO_PREVIEW_PORTS to a free range, such as 9100-9199"
        return Finding("ports", is_ok=False, detail=f"none of {low}-{high} is free", fix=fix)
    return Finding("ports", is_ok=True, detail=f"{settings.port} free, {free} preview ports free")


def disk(settings: Settings) -> Finding:
    tight: list[str] = []
    told: list[str] = []
    for folder in (settings.data_dir, settings.cache_dir, CHECKOUT.root):
        place = folder
        while not place.exists():
            place = place.parent
        free = shutil.disk_usage(place).free
        told.append(f"{folder}: {free / _GIGABYTE:.1f} GB free")
        if free < _NEEDED_BYTES:
            tight.append(str(folder))
    detail = "; ".join(told)
    if not tight:
        return Finding("disk", is_ok=True, detail=detail)
    fix = f"free at least {_NEEDED_BYTES // _GIGABYTE} GB, or move: DIONO_DATA_DIR, XDG_CACHE_HOME"
    return Finding("disk", is_ok=False, detail=detail, fix=fix)


def dashboard(_settings: Settings) -> Finding:
    if frontend.is_built(CHECKOUT):
        return Finding("frontend", is_ok=True, detail="built", is_needed=False)
    detail = "the dashboard is not built from these sources; builds work without it"
    fix = "./diono setup frontend"
    return Finding("frontend", is_ok=False, detail=detail, fix=fix, is_needed=False)
