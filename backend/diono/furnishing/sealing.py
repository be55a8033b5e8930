"""Secrets at rest, safe requests to users' addresses, and people's language-model providers."""

from diono.furnishing.house import House


async def furnish_sealing(house: House) -> None:
    state, adapters = house.state, house.adapters
    state.sealer, state.outbound = adapters.sealer, adapters.outbound
    state.providers = adapters.providers
