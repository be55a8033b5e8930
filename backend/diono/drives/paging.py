"""Pages of what a provider tells as a whole only."""

from collections.abc import Sequence

from diono.drives.port import DriveItem, DrivePage


def cut_page(items: Sequence[DriveItem], cursor: str | None, limit: int) -> DrivePage:
    """Return a page, folders first and by name; the cursor is a count."""
    start = int(cursor) if cursor and cursor.isascii() and cursor.isdigit() else 0
    ordered = sorted(items, key=lambda item: (not item.is_folder, item.name.casefold()))
    end = start + limit
    return DrivePage(ordered[start:end], str(end) if end < len(ordered) else None)
