"""The tools folder: Python files and declared MCP servers that users put there."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from diono.agents.tools.mcp_tools import McpServer, read_declaration
from diono.agents.tools.places import ToolPlaces
from diono.agents.tools.python_tools import PythonToolFile, ToolFileRefused, read_tool

_TOOLS_LIMIT = 50


@dataclass(frozen=True)
class FolderContent:
    """What a tools folder holds. ``problems`` say which files were left out and why; ``places``
    is where the tools of one run get their sandboxes."""

    python: tuple[PythonToolFile, ...] = ()
    servers: tuple[McpServer, ...] = ()
    problems: tuple[str, ...] = ()
    digests: dict[str, str] = field(default_factory=dict[str, str])
    places: ToolPlaces = field(default_factory=ToolPlaces)

    def digest_of(self, server: McpServer) -> str:
        """Return what changes with a server's declaration and files."""
        return self.digests[server.declared.name]


def read_folder(folder: Path | None) -> FolderContent:
    """Read a tools folder; blocking. A file that is no tool is a problem, not an error."""
    if folder is None or not folder.is_dir():
        return FolderContent()
    python: list[PythonToolFile] = []
    servers: list[McpServer] = []
    problems: list[str] = []
    digests: dict[str, str] = {}
    places = ToolPlaces()
    for file in sorted(folder.iterdir())[: _TOOLS_LIMIT * 4]:
        try:
            if file.suffix == ".py" and file.is_file():
                python.append(read_tool(file.name, file.read_text(encoding="utf-8")))
            elif file.suffix in (".yaml", ".yml"):
                declared, files = read_declaration(file)
                servers.append(McpServer(declared, files, places))
                parts = [declared.model_dump_json().encode(), *files.values()]
                digests[declared.name] = hashlib.sha256(b"\0".join(parts)).hexdigest()
        except ToolFileRefused as error:
            problems.append(error.detail)
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{file.name}: {error}")
    return FolderContent(
        python=tuple(python[:_TOOLS_LIMIT]),
        servers=tuple(servers[:_TOOLS_LIMIT]),
        problems=tuple(problems),
        digests=digests,
        places=places,
    )
