"""What the server offers people, built from the settings and put where the routes look for it.

One module a group of features; they run in this order, so a later one may use an earlier one's
services from ``house.state``.
"""

from collections.abc import Sequence

from diono.furnishing.access import furnish_access
from diono.furnishing.accounts import furnish_accounts
from diono.furnishing.documents import furnish_documents
from diono.furnishing.drives import furnish_drives
from diono.furnishing.files import furnish_files
from diono.furnishing.hooks import furnish_hooks
from diono.furnishing.house import Furnisher, House
from diono.furnishing.inspection import furnish_inspection
from diono.furnishing.sealing import furnish_sealing

FURNISHERS: Sequence[Furnisher] = (
    furnish_sealing,
    furnish_accounts,
    furnish_access,
    furnish_files,
    furnish_documents,
    furnish_drives,
    furnish_inspection,
    furnish_hooks,
)


async def furnish(house: House) -> None:
    """Build every group."""
    for furnisher in FURNISHERS:
        await furnisher(house)
