"""XML of others, read without entities of its own, outer files or network."""

from pathlib import Path
from typing import Any, Final

from lxml import etree

from transforms.errors import ConfigError

HARDENED: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
}
"""How lxml's parsers are set up for XML of others."""


def parse_xml(text: str, path: Path) -> etree._Element:
    """The root of the XML in *text*.

    Raises:
        ConfigError: it is not well-formed, or it declares a document type, which
            is where entities and outer files come in; names *path* and the line.
    """
    parser = etree.XMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, **HARDENED)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        why = error.msg.partition(", line")[0]
        raise ConfigError(f"{path}:{error.lineno or 1}: no XML: {why}") from error
    if root.getroottree().docinfo.doctype:
        raise ConfigError(f"{path}: document types are not supported: they may name other files")
    return root
