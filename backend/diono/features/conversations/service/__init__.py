"""Conversations and memories of projects."""

from diono.features.conversations.service.conversations import Conversations

__all__ = ["Conversations"]
