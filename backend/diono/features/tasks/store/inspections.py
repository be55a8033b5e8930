"""Reports of inspections, of already authorised tasks."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.tasks.tables import InspectionRow
from diono.inspection.models import Inspection


async def save(session: AsyncSession, task_id: str, report: Inspection, at: datetime) -> None:
    """Keep a report in the place of an earlier one."""
    await session.merge(
        InspectionRow(task_id=task_id, inspected_at=at, report=report.model_dump(mode="json"))
    )


async def find(session: AsyncSession, task_id: str) -> Inspection | None:
    row = await session.get(InspectionRow, task_id)
    return Inspection.model_validate(row.report) if row is not None else None
