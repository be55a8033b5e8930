"""Why a document was not taken, in words for the person who uploaded it."""

from diono.kernel.errors import DionoError, ErrorKind


class DocumentRefused(DionoError):
    """The document itself is the reason; trying again would not help."""

    code = "document_refused"
    kind = ErrorKind.INVALID


class DocumentEmpty(DocumentRefused):
    code = "document_empty"


class DocumentEncrypted(DocumentRefused):
    code = "document_encrypted"


class DocumentDamaged(DocumentRefused):
    code = "document_damaged"


class DocumentUnsafe(DocumentRefused):
    """It holds what no honest file of its kind does, such as XML entities."""

    code = "document_unsafe"


class DocumentTooLarge(DocumentRefused):
    """It, or what it unfolds to, needs more memory or places than a parser has."""

    code = "document_too_large"
    kind = ErrorKind.TOO_LARGE


class DocumentTooSlow(DocumentRefused):
    code = "document_too_slow"


class ArchiveBomb(DocumentRefused):
    code = "archive_bomb"


class TypeUnsupported(DocumentRefused):
    code = "type_unsupported"


class ParserBroken(DionoError):
    """The sandbox or the program in it failed; trying again may help."""

    code = "parser_broken"
    kind = ErrorKind.UNAVAILABLE


_REFUSALS: dict[str, type[DocumentRefused]] = {
    refusal.code: refusal
    for refusal in (
        DocumentEmpty,
        DocumentEncrypted,
        DocumentDamaged,
        DocumentUnsafe,
        DocumentTooLarge,
        DocumentTooSlow,
        ArchiveBomb,
        TypeUnsupported,
    )
}


def refusal(code: str, reason: str) -> DocumentRefused:
    """Return the refusal that a guest told; an unknown code becomes the plain one."""
    return _REFUSALS.get(code, DocumentRefused)(reason)
