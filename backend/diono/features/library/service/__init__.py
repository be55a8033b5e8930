"""A project's library: everything it has in one list, exports and imports."""

from diono.features.library.service.exports import Exports, export_name
from diono.features.library.service.imports import Imports
from diono.features.library.service.listing import Library
from diono.features.library.store import Wanted

__all__ = ["Exports", "Imports", "Library", "Wanted", "export_name"]
