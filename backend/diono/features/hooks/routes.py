"""Webhooks and notifications over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, status

from diono.features.accounts.access import SignedIn, admin_only
from diono.features.hooks.access import Acting, NotificationsService, WebhooksService
from diono.features.hooks.schemas import (
    ChangeNotifications,
    ChangeWebhook,
    CreateWebhook,
    DeliveryInfo,
    DeliveryPage,
    NewWebhook,
    NotificationSettings,
    WebhookInfo,
    WebhookList,
)
from diono.features.projects.access import OwnedProject

router = APIRouter(tags=["webhooks"])

OF_ALL = "/api/webhooks"
OF_PROJECT = "/api/projects/{project_id}/webhooks"
Cursor = Annotated[str | None, Query(max_length=40)]
FOR_ADMINS = [Depends(admin_only)]
Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("/api/me/notifications", tags=["accounts"])
async def show_notifications(
    account: SignedIn, notifications: NotificationsService
) -> NotificationSettings:
    """Show which events of the user's own tasks and documents are told by mail."""
    return await notifications.of(account.user_id)


@router.put("/api/me/notifications", tags=["accounts"])
async def change_notifications(
    wanted: ChangeNotifications, account: SignedIn, notifications: NotificationsService
) -> NotificationSettings:
    """Choose which events are told by mail."""
    return await notifications.change(account.user_id, wanted)


@router.get(OF_ALL, dependencies=FOR_ADMINS)
async def list_webhooks(webhooks: WebhooksService) -> WebhookList:
    """List the webhooks of all projects; for admins."""
    return WebhookList(items=await webhooks.list_of(None))


@router.post(OF_ALL, status_code=status.HTTP_201_CREATED, dependencies=FOR_ADMINS)
async def add_webhook(
    wanted: CreateWebhook, acting: Acting, webhooks: WebhooksService
) -> NewWebhook:
    """Add a webhook; its secret is shown this once."""
    return await webhooks.add(None, wanted, acting)


@router.patch(OF_ALL + "/{webhook_id}", dependencies=FOR_ADMINS)
async def change_webhook(
    webhook_id: str,
    changes: ChangeWebhook,
    acting: Acting,
    webhooks: WebhooksService,
) -> WebhookInfo:
    """Change a webhook, or switch it on again."""
    return await webhooks.change(None, webhook_id, changes, acting)


@router.delete(
    OF_ALL + "/{webhook_id}", status_code=status.HTTP_204_NO_CONTENT, dependencies=FOR_ADMINS
)
async def remove_webhook(webhook_id: str, acting: Acting, webhooks: WebhooksService) -> None:
    """Remove a webhook with its log."""
    await webhooks.remove(None, webhook_id, acting)


@router.post(OF_ALL + "/{webhook_id}/secret", dependencies=FOR_ADMINS)
async def renew_webhook_secret(
    webhook_id: str, acting: Acting, webhooks: WebhooksService
) -> NewWebhook:
    """Give a webhook a new secret, which is shown this once."""
    return await webhooks.renew_secret(None, webhook_id, acting)


@router.post(OF_ALL + "/{webhook_id}/test", dependencies=FOR_ADMINS)
async def test_webhook(webhook_id: str, webhooks: WebhooksService) -> DeliveryInfo:
    """Send a `ping` at once and show how it went."""
    return await webhooks.ping(None, webhook_id)


@router.get(OF_ALL + "/{webhook_id}/deliveries", dependencies=FOR_ADMINS)
async def list_deliveries(
    webhook_id: str,
    webhooks: WebhooksService,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> DeliveryPage:
    """Show what was sent and what came back, of the last 30 days."""
    return await webhooks.deliveries(None, webhook_id, cursor, limit)


@router.post(
    OF_ALL + "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=FOR_ADMINS,
)
async def redeliver_delivery(
    webhook_id: str, delivery_id: str, webhooks: WebhooksService
) -> DeliveryInfo:
    """Send a message once more, with the same `webhook-id`."""
    return await webhooks.redeliver(None, webhook_id, delivery_id)


@router.get(OF_PROJECT)
async def list_project_webhooks(project: OwnedProject, webhooks: WebhooksService) -> WebhookList:
    """List the webhooks of the project."""
    return WebhookList(items=await webhooks.list_of(project[1]))


@router.post(OF_PROJECT, status_code=status.HTTP_201_CREATED)
async def add_project_webhook(
    wanted: CreateWebhook, project: OwnedProject, acting: Acting, webhooks: WebhooksService
) -> NewWebhook:
    """Add a webhook; its secret is shown this once."""
    return await webhooks.add(project[1], wanted, acting)


@router.patch(OF_PROJECT + "/{webhook_id}")
async def change_project_webhook(
    webhook_id: str,
    changes: ChangeWebhook,
    project: OwnedProject,
    acting: Acting,
    webhooks: WebhooksService,
) -> WebhookInfo:
    """Change a webhook, or switch it on again."""
    return await webhooks.change(project[1], webhook_id, changes, acting)


@router.delete(OF_PROJECT + "/{webhook_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_project_webhook(
    webhook_id: str, project: OwnedProject, acting: Acting, webhooks: WebhooksService
) -> None:
    """Remove a webhook with its log."""
    await webhooks.remove(project[1], webhook_id, acting)


@router.post(OF_PROJECT + "/{webhook_id}/secret")
async def renew_project_webhook_secret(
    webhook_id: str, project: OwnedProject, acting: Acting, webhooks: WebhooksService
) -> NewWebhook:
    """Give a webhook a new secret, which is shown this once."""
    return await webhooks.renew_secret(project[1], webhook_id, acting)


@router.post(OF_PROJECT + "/{webhook_id}/test")
async def test_project_webhook(
    webhook_id: str, project: OwnedProject, webhooks: WebhooksService
) -> DeliveryInfo:
    """Send a `ping` at once and show how it went."""
    return await webhooks.ping(project[1], webhook_id)


@router.get(OF_PROJECT + "/{webhook_id}/deliveries")
async def list_project_deliveries(
    webhook_id: str,
    project: OwnedProject,
    webhooks: WebhooksService,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> DeliveryPage:
    """Show what was sent and what came back, of the last 30 days."""
    return await webhooks.deliveries(project[1], webhook_id, cursor, limit)


@router.post(
    OF_PROJECT + "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=status.HTTP_202_ACCEPTED,
)
async def redeliver_project_delivery(
    webhook_id: str, delivery_id: str, project: OwnedProject, webhooks: WebhooksService
) -> DeliveryInfo:
    """Send a message once more, with the same `webhook-id`."""
    return await webhooks.redeliver(project[1], webhook_id, delivery_id)
