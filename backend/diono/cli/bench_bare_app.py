"""The yardstick of `diono bench start`: a bare FastAPI app with SQLAlchemy on SQLite."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


def create_bare_app(database: str) -> FastAPI:
    engine = create_async_engine(f"sqlite+aiosqlite:///{database}")

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.get("/health")
    async def health() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        return {"status": "ok"}

    return app


if __name__ == "__main__":
    uvicorn.run(create_bare_app(sys.argv[2]), port=int(sys.argv[1]), log_config=None)
