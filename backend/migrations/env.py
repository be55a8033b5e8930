"""Alembic's entry: the connection comes from diono.infra.migrations."""

import importlib

from alembic import context

from diono.infra.database import Base

for module in (
    "infra.heartbeats",
    *(
        f"features.{feature}.tables"
        for feature in (
            "accounts",
            "audit",
            "projects",
            "keys",
            "models",
            "previews",
            "checkpoints",
            "conversations",
            "documents",
            "tasks",
            "files",
            "library",
        )
    ),
):
    importlib.import_module(f"diono.{module}")

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
