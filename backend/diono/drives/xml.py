"""XML of servers that are not trusted: no document type, no entities, bounded depth.

A declaration is refused as such, which rules out entity bombs and outside entities at once; the
same rule as in the library defusedxml.
"""

from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.parsers import expat

from diono.drives.errors import DriveBusy

_MOST_DEPTH = 50


class XmlRefused(DriveBusy):
    """The answer is no XML that may be read."""

    code = "drive_answer_unreadable"


def parse(data: bytes) -> Element:
    """Return the root; names are ``{namespace}name``. Raises XmlRefused."""
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    depth = 0

    def named(name: str) -> str:
        return f"{{{name}" if "}" in name else name

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MOST_DEPTH:
            raise XmlRefused("The server's answer is nested too deeply to be read.")
        builder.start(named(name), {named(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(named(name))

    def refuse(*_declared: object) -> None:
        raise XmlRefused("The server's answer declares a document type, which is not read.")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, ParseError, AssertionError, ValueError) as error:
        raise XmlRefused("The server answered with something that is no XML.") from error
