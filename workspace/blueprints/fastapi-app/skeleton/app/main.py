"""The web app: a JSON API and one page over it."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import Body, FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from app.entities import ENTITY, SUMMARY, TITLE
from app.fields import body_model, change_model
from app.store import Row, Store

HERE = Path(__file__).resolve().parent
EntityBody = body_model(ENTITY)
EntityChange = change_model(ENTITY)
LISTING = f"/api/{ENTITY.plural}"


def create_app(database: Path) -> FastAPI:
    """Return the app over the rows in this file."""
    app = FastAPI(title=TITLE, description=SUMMARY)
    store = Store(database, ENTITY)
    _add_pages(app)
    _add_reading(app, store)
    _add_writing(app, store)
    return app


def _found(row: Row | None) -> Row:
    if row is None:
        raise HTTPException(404, f"There is no such {ENTITY.label}.")
    return row


def _add_pages(app: FastAPI) -> None:
    templates = Jinja2Templates(HERE / "templates")
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")

    @app.middleware("http")
    async def no_cache(request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["Cache-Control"] = "no-cache"
        return response

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def page(request: Request) -> Any:
        values = {"title": TITLE, "summary": SUMMARY, "entity": ENTITY, "listing": LISTING}
        return templates.TemplateResponse(request, "index.html", values)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}


def _add_reading(app: FastAPI, store: Store) -> None:
    @app.get(LISTING, summary=f"List or search {ENTITY.plural}")
    def listing(
        q: Annotated[str, Query(description="Words to search for.")] = "",
        search: Annotated[str, Query(description="The same as q.")] = "",
    ) -> list[dict[str, Any]]:
        return store.list(q or search)

    @app.get(f"{LISTING}/search", summary=f"Search {ENTITY.plural}")
    def search_listing(q: str) -> list[dict[str, Any]]:
        return store.list(q)

    @app.get(LISTING + "/{row_id}", summary=f"Read one {ENTITY.label}")
    def read(row_id: int) -> dict[str, Any]:
        return _found(store.get(row_id))


def _add_writing(app: FastAPI, store: Store) -> None:
    @app.post(LISTING, status_code=201, summary=f"Add one {ENTITY.label}")
    def create(body: Annotated[EntityBody, Body()]) -> dict[str, Any]:  # type: ignore[valid-type]
        return store.create(body.model_dump())

    @app.put(LISTING + "/{row_id}", summary=f"Replace one {ENTITY.label}")
    def replace(row_id: int, body: Annotated[EntityBody, Body()]) -> dict[str, Any]:  # type: ignore[valid-type]
        _found(store.get(row_id))
        return _found(store.change(row_id, body.model_dump()))

    @app.patch(LISTING + "/{row_id}", summary=f"Change one {ENTITY.label}")
    def change(row_id: int, body: Annotated[EntityChange, Body()]) -> dict[str, Any]:  # type: ignore[valid-type]
        current = _found(store.get(row_id))
        values = current | body.model_dump(exclude_unset=True, mode="json")
        names = [field.name for field in ENTITY.fields]
        try:
            checked = EntityBody.model_validate({name: values[name] for name in names})
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        return _found(store.change(row_id, checked.model_dump()))

    @app.delete(LISTING + "/{row_id}", status_code=204, summary=f"Delete one {ENTITY.label}")
    def delete(row_id: int) -> None:
        if not store.delete(row_id):
            raise HTTPException(404, f"There is no such {ENTITY.label}.")


app = create_app(HERE.parent / f"{ENTITY.plural}.db")
