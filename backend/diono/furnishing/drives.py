"""Cloud drives: providers, links, and what moves files over them."""

from dataclasses import dataclass, field
from pathlib import Path

from diono.drives.port import Setup
from diono.drives.registry import Providers
from diono.features.audit.service import Audit
from diono.features.drives.access import Drives
from diono.features.drives.jobs import Follower, Held, Keeper, Mover, Pace
from diono.features.drives.service import (
    Connecting,
    DriveClients,
    DriveLinks,
    Syncs,
    Transfers,
    Vault,
)
from diono.features.files.service import Files
from diono.furnishing.house import House
from diono.infra.clock import Clock, SystemClock
from diono.infra.database import Database
from diono.infra.sealing import Sealer

ADAPTERS = "diono.drives.adapters"


@dataclass(frozen=True)
class DriveParts:
    """What drives stand on."""

    database: Database
    files: Files
    sealer: Sealer
    providers: Providers
    spool_dir: Path
    public_url: str = ""
    pace: Pace = field(default_factory=Pace)
    clock: Clock = field(default_factory=SystemClock)


def open_drives(parts: DriveParts) -> tuple[Drives, Keeper]:
    """Return the services, and the keeper of their jobs: started, to be closed."""
    database, clock = parts.database, parts.clock
    audit, vault = Audit(database, clock), Vault(parts.sealer)
    clients = DriveClients(database, parts.providers, vault, audit, clock)
    connecting = Connecting(database, clients, vault, audit, clock)
    connecting.public_url = parts.public_url.rstrip("/")
    links = DriveLinks(database, clients, vault, audit, clock)
    transfers = Transfers(database, links, parts.files, audit, clock)
    mover = Mover(database, links, parts.files, parts.spool_dir)
    follower = Follower(database, links, parts.files, clock)

    async def work(held: Held) -> None:
        match held.job.kind:
            case "import":
                await mover.bring(held)
            case "export":
                await mover.send(held)
            case _:
                await follower.follow(held)

    keeper = Keeper(database, clock, work, parts.pace)
    transfers.wake, transfers.stop = keeper.wake, keeper.stop
    keeper.start()
    syncs = Syncs(database, links, transfers, clock)
    return Drives(clients, connecting, links, transfers, syncs), keeper


async def furnish_drives(house: House) -> None:
    """Needs ``state.sealer``, ``state.outbound`` and ``state.files``."""
    state, settings = house.state, house.settings
    spool_dir = settings.data_dir / "run" / "spool"
    spool_dir.mkdir(parents=True, exist_ok=True)
    setup = Setup(client=None, outbound=state.outbound)
    parts = DriveParts(
        database=house.adapters.database,
        files=state.files,
        sealer=state.sealer,
        providers=Providers((ADAPTERS,), setup),
        spool_dir=spool_dir,
        public_url=settings.public_url,
    )
    state.drives, state.drive_keeper = open_drives(parts)
    house.stack.push_async_callback(state.drive_keeper.close)
