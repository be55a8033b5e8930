"""Which sandbox a project has, shared by several API processes through a Redis server."""

from typing import cast

from loguru import logger
from pydantic import ValidationError
from redis.asyncio import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from diono.sandbox.client_cache import SandboxRef

_PREFIX = "diono:sandbox:"
_KEPT_SECONDS = 86_400
_PATIENCE_SECONDS = 1.0


class RedisCache:
    """Implements ``SandboxCache``. Only ids are kept there: tokens are asked for anew with each
    connection, so whoever reads the Redis server opens no sandbox. A server that is away is as
    one that has forgotten all."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            url,
            socket_timeout=_PATIENCE_SECONDS,
            socket_connect_timeout=_PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )

    async def get(self, key: str) -> SandboxRef | None:
        try:
            found = cast("bytes | None", await self._redis.get(_PREFIX + key))
            return None if found is None else SandboxRef.model_validate_json(found)
        except (RedisError, ValidationError) as error:
            self._tell(error)
            return None

    async def put(self, key: str, ref: SandboxRef) -> None:
        text = ref.model_dump_json(include={"sandbox_id", "domain"})
        try:
            await self._redis.set(_PREFIX + key, text, ex=_KEPT_SECONDS)
        except RedisError as error:
            self._tell(error)

    async def drop(self, key: str) -> None:
        try:
            await self._redis.delete(_PREFIX + key)
        except RedisError as error:
            self._tell(error)

    async def close(self) -> None:
        await self._redis.aclose()

    def _tell(self, error: Exception) -> None:
        logger.warning("the cache of sandboxes' ids is of no help: {}", type(error).__name__)
