"""Measurements of models in the database."""

from collections.abc import Sequence

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from diono.features.models.tables import ModelFitRow
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.llm.fit.report import ModelFit

_NAME_CHARACTERS = 200


class DatabaseFits:
    """Satisfies llm.fit.store.FitStore. What an older version wrote and we cannot read counts as
    not measured."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def get(self, key: str) -> ModelFit | None:
        async with self._database.read() as session:
            row = await session.get(ModelFitRow, key)
        return _fit_of(row) if row is not None else None

    async def put(self, key: str, fit: ModelFit) -> None:
        """Keep it in place of an older one; the first of two at the same moment stays."""
        row = ModelFitRow(
            digest=key,
            name=fit.name[:_NAME_CHARACTERS],
            fit=fit.model_dump(mode="json"),
            probed_at=self._clock.now(),
        )
        try:
            async with self._database.write() as session:
                await session.merge(row)
        except IntegrityError:
            # Another process measured the same weights meanwhile: its result is as good.
            return

    async def newest(self) -> Sequence[ModelFit]:
        """Return the newest measurement of each model's name."""
        async with self._database.read() as session:
            rows = await session.scalars(select(ModelFitRow).order_by(ModelFitRow.probed_at))
            by_name = {row.name: fit for row in rows if (fit := _fit_of(row)) is not None}
        return list(by_name.values())


def _fit_of(row: ModelFitRow) -> ModelFit | None:
    try:
        return ModelFit.model_validate(row.fit).model_copy(update={"probed_at": row.probed_at})
    except ValidationError:
        return None
