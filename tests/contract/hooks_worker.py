"""A process that announces events, begins to deliver them, and is killed by its test."""

import asyncio
import sys

from contract.hooks_rigs import PostOffice

from diono.features.hooks.service import Patience
from diono.infra.database import Database


async def main(url: str, project_id: str, count: int) -> None:
    # The lease is short: the test does not wait for a minute.
    patience = Patience(timeout_seconds=30, lease_seconds=1.0, at_once=1)
    office = PostOffice(Database(url), patience)
    for number in range(count):
        await office.happen(project_id, number=number)
        print("committed", flush=True)
    async with office.open():
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
