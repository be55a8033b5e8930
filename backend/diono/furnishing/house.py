"""What every furnisher gets."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from starlette.datastructures import State

from diono.infra.tokens import TokenSigner
from diono.launching import Adapters
from diono.settings import Settings


@dataclass(frozen=True)
class House:
    """``state`` is where the routes look; ``stack`` closes what is opened, last first."""

    state: State
    settings: Settings
    adapters: Adapters
    signer: TokenSigner
    stack: AsyncExitStack


Furnisher = Callable[[House], Awaitable[None]]
