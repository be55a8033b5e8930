"""Who may what: projects' members, API keys, limits."""

from functools import partial

from diono.features.accounts.access import access_topic
from diono.features.audit.service import Audit
from diono.features.keys.service import Keys
from diono.features.projects.service import Members
from diono.furnishing.house import House
from diono.infra.bus import Bus
from diono.infra.clock import SystemClock
from diono.infra.rate_limits import DEFAULT_RULES, RateLimits
from diono.launching import load_late


async def furnish_access(house: House) -> None:
    """Needs ``state.accounts``."""
    state, database, clock = house.state, house.adapters.database, SystemClock()
    audit = Audit(database, clock)
    changed = partial(_tell, house.adapters.bus)
    state.bus = house.adapters.bus
    state.rate_limits = await _rate_limits(house)
    state.members = Members(database, audit, clock, changed)
    state.keys = Keys(database, state.accounts, audit, clock, changed)

    async def may_look(user_id: str, project_id: str) -> bool:
        return await state.members.may_look(await state.accounts.active(user_id), project_id)

    state.previews.shares.may_look = may_look
    state.identify, state.recheck = state.keys.identify, state.keys.recheck


async def _rate_limits(house: House) -> RateLimits:
    """Raises ValueError for a rule that is none."""
    settings = house.settings
    rules = {**DEFAULT_RULES, **settings.rate_limits}
    stores = await load_late("diono.infra.rate_stores")
    counters = stores.LimitsCounters(rules, settings.redis_url.get_secret_value())
    house.stack.push_async_callback(counters.close)
    return RateLimits(counters)


def _tell(bus: Bus, user_id: str) -> None:
    """Let what a user follows look again whether it still may."""
    bus.publish(access_topic(user_id))
