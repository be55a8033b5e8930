"""Chatting in a project: turns and their streams, the state, the history, the files."""

from diono.features.chat.service.assembly import Chatting, Places, chatting
from diono.features.chat.service.events import refused
from diono.features.chat.service.files import ProjectFiles
from diono.features.chat.service.turns import Chats, Turn

__all__ = ["Chats", "Chatting", "Places", "ProjectFiles", "Turn", "chatting", "refused"]
