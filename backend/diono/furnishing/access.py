"""Who may what: projects' members, API keys, limits."""

from functools import partial

from diono.features.accounts.access import access_topic
from diono.features.audit.service import Audit
from diono.features.keys.service import Keys
from diono.features.projects.service import Members
from diono.furnishing.house import House
from diono.infra.bus import Bus
from diono.infra.clock import SystemClock


async def furnish_access(house: House) -> None:
    """Needs ``state.accounts``."""
    state, database, clock = house.state, house.adapters.database, SystemClock()
    audit = Audit(database, clock)
    changed = partial(_tell, house.adapters.bus)
    state.bus = house.adapters.bus
    state.members = Members(database, audit, clock, changed)
    state.keys = Keys(database, state.accounts, audit, clock, changed)
    state.identify, state.recheck = state.keys.identify, state.keys.recheck


def _tell(bus: Bus, user_id: str) -> None:
    """Let what a user follows look again whether it still may."""
    bus.publish(access_topic(user_id))
