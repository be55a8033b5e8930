"""The sandbox service's user side, of a request."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.sandboxes.service import Sandboxing


def sandboxing_service(request: Request) -> Sandboxing:
    return request.app.state.sandboxing


SandboxingService = Annotated[Sandboxing, Depends(sandboxing_service)]
