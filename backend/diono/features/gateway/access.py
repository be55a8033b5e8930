"""The gateway of a request."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.gateway.service import Gateway


def gateway_service(request: Request) -> Gateway:
    return request.app.state.gateway


GatewayService = Annotated[Gateway, Depends(gateway_service)]
