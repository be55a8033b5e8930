"""Reports on what tasks made."""

from diono.features.tasks.service import Inspections
from diono.furnishing.house import House
from diono.infra.clock import SystemClock
from diono.inspection.service import Inspector


async def furnish_inspection(house: House) -> None:
    adapters = house.adapters
    inspector = Inspector(adapters.sandboxes) if house.settings.inspection else None
    house.state.inspections = Inspections(
        adapters.database, adapters.blobs, SystemClock(), inspector
    )
