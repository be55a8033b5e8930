"""What a user's graph works with: our models as a LangChain chat model, our tools."""

from diono.agents.runners.graphs.chat_model import DionoChatModel
from diono.agents.runners.graphs.tools import diono_tools

__all__ = ["DionoChatModel", "diono_tools"]
