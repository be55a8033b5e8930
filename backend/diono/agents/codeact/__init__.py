"""CodeAct: one turn of a chat in a project. Think, act by code and tools, observe, answer."""
