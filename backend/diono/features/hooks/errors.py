"""What can go wrong with webhooks."""

from diono.kernel.errors import Conflict, NotFound


class WebhookNotFound(NotFound):
    code = "webhook_not_found"


class DeliveryNotFound(NotFound):
    code = "delivery_not_found"


class TooManyWebhooks(Conflict):
    code = "too_many_webhooks"
