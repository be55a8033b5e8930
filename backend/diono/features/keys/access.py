"""The keys of a request. Who asks with one is told by ``accounts.access``."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.keys.service import Keys


def keys_service(request: Request) -> Keys:
    return request.app.state.keys


KeysService = Annotated[Keys, Depends(keys_service)]
