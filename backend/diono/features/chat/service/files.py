"""The files of a project: from its live sandbox, or as the last tasks saved them."""

from diono.features.chat.errors import ProjectFileNotFound
from diono.features.chat.schemas import FileTree, ProjectFile
from diono.features.projects.service import sandbox_of
from diono.features.tasks.service.projects import ProjectTasks
from diono.sandbox.checks import workspace_path
from diono.sandbox.errors import FileMissing
from diono.sandbox.port import Sandbox, Sandboxes

FILES_LIMIT = 5_000
CONTENT_LIMIT_BYTES = 5_000_000
_DEPTH = 16

Project = tuple[str, str]


class ProjectFiles:
    """``project`` is (owner, project), whose owner has been checked."""

    def __init__(self, sandboxes: Sandboxes, tasks: ProjectTasks) -> None:
        self._sandboxes = sandboxes
        self._tasks = tasks

    async def tree(self, project: Project, *, opens: bool) -> FileTree:
        """List the files; ``opens``: start the sandbox if it does not run."""
        sandbox = await self._sandbox(project, opens=opens)
        if sandbox is None:
            saved = await self._tasks.saved_files(project[1])
            files = [ProjectFile(path=info.path, size=info.size) for info in saved.values()]
            return FileTree(
                source="saved",
                files=sorted(files, key=lambda file: file.path)[:FILES_LIMIT],
                is_cut=len(files) > FILES_LIMIT,
            )
        entries = await sandbox.list_files(".", _DEPTH)
        shown = sorted(entries, key=lambda entry: entry.path)
        return FileTree(
            source="sandbox",
            files=[
                ProjectFile(path=entry.path, size=entry.size, is_dir=entry.is_dir)
                for entry in shown[:FILES_LIMIT]
            ],
            is_cut=len(shown) > FILES_LIMIT,
        )

    async def content(self, project: Project, path: str, *, opens: bool) -> bytes:
        """Return a file's bytes. Raises ProjectFileNotFound, FileTooLarge, PathRefused."""
        name = workspace_path(path)
        sandbox = await self._sandbox(project, opens=opens)
        if sandbox is None:
            saved = await self._tasks.saved_files(project[1])
            if name not in saved:
                raise ProjectFileNotFound(
                    f"No file {name!r} was saved. `GET …/files` lists those that were; "
                    "`?live=true` looks into the sandbox."
                )
            return await self._tasks.saved_content(saved[name])
        try:
            return await sandbox.read_file(name, CONTENT_LIMIT_BYTES)
        except FileMissing as error:
            raise ProjectFileNotFound(f"The project has no file {name!r}.") from error

    async def _sandbox(self, project: Project, *, opens: bool) -> Sandbox | None:
        if opens:
            return await self._sandboxes.open(sandbox_of(*project))
        return await self._sandboxes.find(*project)
