"""Bytes into a sandbox and out of it, in pieces that no process holds twice."""

from collections.abc import AsyncGenerator, AsyncIterable, Sequence

from diono.features.library.errors import ExportFailed
from diono.infra.blobs.port import pieces
from diono.sandbox.port import ExecRequest, ExecResult, Sandbox

PIECE_BYTES = 8 * 1024 * 1024
_SECONDS = 120.0


async def run(
    sandbox: Sandbox, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = _SECONDS
) -> ExecResult:
    return await sandbox.execute(
        ExecRequest(argv=tuple(argv), stdin=stdin, timeout_seconds=seconds)
    )


async def send(sandbox: Sandbox, path: str, chunks: AsyncIterable[bytes]) -> None:
    """Write a stream to a new file. Raises WorkspaceFull, ExportFailed."""
    part = f"{path}.part"
    await sandbox.write_file(path, b"")
    async for piece in pieces(chunks, PIECE_BYTES):
        await sandbox.write_file(part, piece)
        done = await run(
            sandbox, ("sh", "-c", 'cat -- "$1" >> "$2" && rm -f -- "$1"', "sh", part, path)
        )
        if not done.is_success:
            raise ExportFailed(f"The sandbox did not take the file: {done.stderr[-200:].strip()}")


async def fetch(sandbox: Sandbox, path: str, most_bytes: int) -> AsyncGenerator[bytes]:
    """Yield a file of the sandbox. Raises ExportFailed beyond ``most_bytes``."""
    piece, start = f"{path}.piece", 0
    while True:
        skip = start // PIECE_BYTES
        argv = ("dd", f"if={path}", f"of={piece}", f"bs={PIECE_BYTES}", "count=1", f"skip={skip}")
        done = await run(sandbox, argv)
        if not done.is_success:
            raise ExportFailed(f"The sandbox did not give the file: {done.stderr[-200:].strip()}")
        content = await sandbox.read_file(piece, PIECE_BYTES)
        start += len(content)
        if start > most_bytes:
            raise ExportFailed(f"The export is larger than {most_bytes} bytes.")
        if content:
            yield content
        if len(content) < PIECE_BYTES:
            return
