"""Whose webhooks a request means."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.accounts.access import SignedIn, client_address
from diono.features.hooks.service import Notifications, Webhooks, Who


def webhooks_service(request: Request) -> Webhooks:
    return request.app.state.webhooks


def notifications_service(request: Request) -> Notifications:
    return request.app.state.notifications


def acting(request: Request, account: SignedIn) -> Who:
    return Who(account.user_id, client_address(request))


WebhooksService = Annotated[Webhooks, Depends(webhooks_service)]
NotificationsService = Annotated[Notifications, Depends(notifications_service)]
Acting = Annotated[Who, Depends(acting)]
