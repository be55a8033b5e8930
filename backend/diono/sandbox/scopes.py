"""What a key of the sandbox service may do."""

from enum import StrEnum


class Scope(StrEnum):
    SANDBOX = "sandbox"
    TEMPLATES = "templates"
    ADMIN = "admin"
