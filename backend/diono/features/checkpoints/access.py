"""The checkpoint service of a request."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.checkpoints.service import Checkpoints


def checkpoints_service(request: Request) -> Checkpoints:
    return request.app.state.checkpoints


CheckpointsService = Annotated[Checkpoints, Depends(checkpoints_service)]
