"""The dashboard's files."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

NOT_BUILT = """<!doctype html><title>Diono</title><p>The dashboard is not built yet.
Run <code>./diono up</code>, which builds it, or use the command line:
<code>./diono build</code>."""


def install_frontend(app: FastAPI, folder: Path) -> None:
    """Serve the built dashboard at ``/``; its own routes all get index.html."""
    assets = StaticFiles(directory=folder / "assets", check_dir=False)
    app.mount("/assets", assets, name="assets")

    @app.get("/{path:path}", include_in_schema=False)
    async def page(path: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        if path.lower().lstrip("/").startswith(("api/", "v1/", "health", "assets/")):
            raise HTTPException(404, f"There is nothing at /{path}.")
        index = folder / "index.html"
        if not index.is_file():
            return HTMLResponse(NOT_BUILT, status_code=503)
        icon = folder / "favicon.svg"
        if path == "favicon.svg" and icon.is_file():
            return FileResponse(icon)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})
