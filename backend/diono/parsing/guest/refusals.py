"""Why a document is not read, with the codes that the host knows."""


class Refused(Exception):
    """``code`` is one of the host's (parsing/errors.py); ``reason`` is for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def damaged(reason: str) -> Refused:
    return Refused("document_damaged", reason)


def too_large(reason: str) -> Refused:
    return Refused("document_too_large", reason)


def unsupported(reason: str) -> Refused:
    return Refused("type_unsupported", reason)
