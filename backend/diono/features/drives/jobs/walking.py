"""All that is in a folder of a drive."""

from diono.drives.errors import DriveItemRefused
from diono.drives.port import DriveItem
from diono.features.drives.service import OpenLink

MOST_ITEMS = 20_000
_PAGE = 200


async def walk(link: OpenLink, folder_id: str | None) -> list[DriveItem]:
    """Return the files and folders below, each once. Raises DriveItemRefused for too many."""
    found: dict[str, DriveItem] = {}
    waiting: list[str | None] = [folder_id]
    while waiting:
        folder, cursor = waiting.pop(), None
        while True:
            page = await link.ask(lambda drive, of=folder, at=cursor: drive.list(of, at, _PAGE))
            for item in page.items:
                if item.is_folder and item.item_id not in found:
                    waiting.append(item.item_id)
                found[item.item_id] = item
            if len(found) > MOST_ITEMS:
                raise DriveItemRefused(
                    f"The folder has more than {MOST_ITEMS} things in it. Choose one further down."
                )
            cursor = page.cursor
            if cursor is None:
                break
    return list(found.values())
