"""A process that runs jobs over drives until it is killed: DATA_DIR CERTIFICATES PORT."""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from contract.drives_fake.rigs import providers_to
from contract.drives_fake.server import FakeDrives

from diono.features.drives.jobs import Pace
from diono.features.files.service import Files, Limits
from diono.furnishing.drives import DriveParts, open_drives
from diono.infra.clock import SystemClock
from diono.launching import open_adapters
from diono.settings import Settings


async def main(data_dir: str, certificates: str, port: str) -> None:
    settings = Settings(data_dir=Path(data_dir), ollama_host="off", docker_host="tcp://127.0.0.1:1")
    async with AsyncExitStack() as stack:
        adapters = await stack.enter_async_context(open_adapters(settings, has_engine=False))
        limits = Limits(10**9, 10**9)
        files = Files(adapters.database, adapters.blobs, SystemClock(), limits)
        parts = DriveParts(
            database=adapters.database,
            files=files,
            sealer=adapters.sealer,
            providers=providers_to(FakeDrives(Path(certificates), int(port))),
            spool_dir=settings.data_dir / "run" / "spool",
            pace=Pace(parallel=1),
        )
        open_drives(parts)
        await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
