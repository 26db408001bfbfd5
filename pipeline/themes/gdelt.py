"""Categories of GDELT's Global Knowledge Graph, from the file in which GDELT published them.

The file looks like XML, and is none: it has no root, bare ampersands, names in
curly quotes, and a tag that is never closed. A category is a list of phrases in
small letters, each with a weight after a tab; where it has a second list, a
phrase of each must be there:

    <CATEGORY NAME="RELEASE_PRISON" TYPE="THEME">
    <TERMS>
    earnings release	-100
    freed	10
    </TERMS>
    <TERMS2>
    jail	10
    </TERMS2>
    </CATEGORY>
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from pipeline.secure_xml import parse_xml
from pipeline.themes.imported import ImportedTheme, Importing, identifier, read_text
from transforms.errors import ConfigError
from transforms.logic.themes.expressions import Term
from transforms.logic.themes.syntax import both, either

# The weight of nearly all phrases: one of them is enough.
_USUAL = 10.0
_MENTION, _FOCUS = 10.0, 30.0
_WELL = frozenset("‘’“”–—")
_VERSION = "1.0"  # of GDELT's list of categories


class _Phrase(NamedTuple):
    words: str
    weight: float
    place: str


def import_gdelt(path: Path, importing: Importing) -> None:
    """Read the categories of *path* as themes of the same names.

    Raises:
        ConfigError: the file is not of the form above; says where.
    """
    text = re.sub(r"<CATEGORY[^>]*>", lambda tag: re.sub("[“”]", '"', tag[0]), read_text(path))
    text = re.sub(r"(</\w+)$", r"\1>", text, flags=re.MULTILINE)
    text = re.sub(r"&(?!#\d+;|amp;|lt;|gt;)", "&amp;", text)
    # On the line of the first tag, so that line numbers stay.
    for element in parse_xml(f"<GKG>{text}</GKG>", path):
        place = f"{path}:{element.sourceline}"
        if element.tag == "GLOBAL":
            _global_terms(element, path, importing)
        elif element.tag != "CATEGORY":
            raise ConfigError(f"{place}: <{element.tag}>: a <CATEGORY> is wanted here")
        elif not (name := (element.get("NAME") or "").strip()):
            raise ConfigError(f"{place}: <CATEGORY>: it has no NAME")
        else:
            _category(element, name, path, importing)


def _global_terms(element: etree._Element, path: Path, importing: Importing) -> None:
    """What stands for all categories becomes a sub-query: the file does not say how it counts."""
    against: list[_Phrase] = []
    for part in element:
        for phrase in _phrases(part, path, "global", importing):
            if phrase.weight < 0:
                against.append(phrase)
            else:
                what = f"left out: {phrase.words!r}, which would count for every category"
                importing.note(phrase.place, "global", what)
    if not against:
        return
    importing.define("gdelt_elsewhere", either(_terms(against, "global", importing)))
    importing.note(
        f"{path}:{element.sourceline}",
        "global",
        "left out of the themes: what counts against every category is the named sub-query "
        "@gdelt_elsewhere, which no rule uses yet",
    )


def _category(element: etree._Element, name: str, path: Path, importing: Importing) -> None:
    theme = importing.themes.get(identifier(name))
    if theme is not None:
        place = f"{path}:{element.sourceline}"
        importing.note(
            place, theme.name, f"{name} stands there twice: its rules are joined to those before"
        )
    else:
        theme = importing.themes[identifier(name)] = ImportedTheme(
            name=identifier(name),
            title=name.replace("_", " ").capitalize(),
            description=f"Imported from GDELT's category {name}.",
            mention=_MENTION,
            focus=_FOCUS,
            language="en",
            codes={"gdelt": (_VERSION, [name])},
        )
    lists: dict[str, list[_Phrase]] = {"TERMS": []}
    for part in element:
        place = f"{path}:{part.sourceline}"
        if part.tag in ("TERMS", "TERMS2"):
            lists.setdefault(part.tag, []).extend(_phrases(part, path, theme.name, importing))
        elif part.tag == "COUNTONLYTERMS":
            for words in filter(None, map(str.strip, (part.text or "").split("\n"))):
                lists["TERMS"] = [phrase for phrase in lists["TERMS"] if phrase.words != words]
                importing.note(
                    place, theme.name, f"left out: {words!r}, which counts beside numbers only"
                )
        elif part.tag not in ("COMMENT", "COMMENTS"):
            importing.note(place, theme.name, f"left out: <{part.tag}>")
    if "TERMS2" in lists:
        _both_lists(theme, lists, f"{path}:{element.sourceline}", importing)
    else:
        for phrase in lists["TERMS"]:
            importing.add_term(theme, phrase.words, phrase.weight, phrase.place)


def _both_lists(
    theme: ImportedTheme, lists: dict[str, list[_Phrase]], place: str, importing: Importing
) -> None:
    """A phrase of the first list counts where one of the second is in the article too."""
    others = either(_terms(lists["TERMS2"], theme.name, importing))
    if any(phrase.weight != _USUAL for phrase in lists["TERMS2"]):
        importing.note(place, theme.name, "the weights of TERMS2 are left out")
    by_weight: dict[float, list[_Phrase]] = {}
    for phrase in lists["TERMS"]:
        by_weight.setdefault(phrase.weight, []).append(phrase)
    for weight, phrases in by_weight.items():
        if weight < 0:
            for phrase in phrases:
                importing.add_term(theme, phrase.words, weight, phrase.place)
        elif terms := _terms(phrases, theme.name, importing):
            importing.add_query(theme, both([either(terms), others]), weight, place, theme.name)


def _terms(phrases: list[_Phrase], name: str, importing: Importing) -> list[Term]:
    terms: dict[str, Term] = {}
    for phrase in phrases:
        if term := importing.term(phrase.words, phrase.place, name):
            terms.setdefault(term.words, term)
    return list(terms.values())


def _phrases(
    part: etree._Element, path: Path, name: str, importing: Importing
) -> Iterator[_Phrase]:
    for line, raw in enumerate((part.text or "").split("\n"), start=part.sourceline or 1):
        if not raw.strip():
            continue
        place = f"{path}:{line}"
        cells = [cell.strip() for cell in raw.split("\t") if cell.strip()]
        weights = []
        while len(cells) > 1 and re.fullmatch(r"-?\d+", cells[-1]):
            weights.append(float(cells.pop()))
        words = " ".join(" ".join(cells).split())
        if not weights and (spaced := re.fullmatch(r"(.*\S) (-?\d+)", words)):
            words, weights = spaced[1], [float(spaced[2])]
            importing.note(
                place, name, f"{raw!r}: read as {words!r} with the weight {weights[0]:g}"
            )
        elif not weights:
            weights = [_USUAL]
            importing.note(place, name, f"{words!r} has no weight: read as {_USUAL:g}")
        elif len(weights) > 1 or len(cells) > 1:
            importing.note(
                place, name, f"{raw.strip()!r}: read as {words!r} with the weight {weights[0]:g}"
            )
        repaired = _repaired(words)
        if repaired != words:
            importing.note(place, name, f"{words!r}: read as {repaired!r}")
        yield _Phrase(repaired, weights[0], place)


def _repaired(words: str) -> str:
    """*words* with what broke on the way to the published file put right.

    Part of the file was Latin-1 or UTF-8 and was read as Mac Roman: then there
    are signs and capitals among its letters, which are small ones otherwise.
    """
    if any(not (char.isascii() or char.islower() or char in _WELL) for char in words):
        try:
            stored = words.encode("mac_roman")
        except UnicodeEncodeError:
            stored = words.encode()
        try:
            words = stored.decode()
        except UnicodeDecodeError:
            words = stored.decode("cp1252", "replace")
    # A bracket or a wildcard was another sign: the file has none.
    return " ".join(re.sub("[*?()]", " ", words.replace("\x92", "’")).split())
