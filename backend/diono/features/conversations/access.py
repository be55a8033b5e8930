"""The conversation service of a request."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.conversations.service import Conversations


def conversations_service(request: Request) -> Conversations:
    return request.app.state.conversations


ConversationsService = Annotated[Conversations, Depends(conversations_service)]
