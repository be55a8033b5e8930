"""Webhooks and notifications."""

from diono.features.hooks.service import Notifications, Webhooks
from diono.furnishing.house import House
from diono.launching import delivering, hook_tools


async def furnish_hooks(house: House) -> None:
    tools = hook_tools(house.settings, house.adapters)
    deliverer = await house.stack.enter_async_context(delivering(tools))
    house.state.webhooks = Webhooks(tools, deliverer)
    house.state.notifications = Notifications(tools)
