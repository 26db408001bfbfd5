"""Alert definitions as the Europe Media Monitor has them: weighted words and combinations.

The JRC describes in papers how its alerts work (Steinberger, Pouliquen and van
der Goot, "An introduction to the Europe Media Monitor family of applications",
2009), but no format in which they are exchanged. This is the form that is read:

    <alerts>
      <alert id="IllegalImmigration" threshold="30" language="en">
        <title>Illegal immigration</title>
        <description>…</description>
        <keyword weight="10">illegal+immigra%</keyword>
        <keyword weight="-50">bird+migration</keyword>
        <combination proximity="10">
          <group><keyword>smuggl%</keyword><keyword>traffick%</keyword></group>
          <group><keyword>migrant_</keyword></group>
          <not><keyword>drug%</keyword></not>
        </combination>
      </alert>
    </alerts>

An article is caught where the weights of its keywords come to the threshold, or
by a combination: a keyword of each group, so many words apart at most where
there is a proximity, and none of `not` anywhere. In a keyword `%` is any number
of letters, `_` one letter, and `+` joins words that stand next to each other.
"""

from collections.abc import Iterable
from pathlib import Path

from lxml import etree

from pipeline.secure_xml import parse_xml
from pipeline.themes.imported import ImportedTheme, Importing, identifier, read_text
from transforms.errors import ConfigError
from transforms.logic.language import normalise_code
from transforms.logic.themes.expressions import AndNot, Expression, Near, Term
from transforms.logic.themes.syntax import both, either

# What an article that is about a theme has, beside one that mentions it.
_FOCUS = 3

_OURS = str.maketrans("%_+", "*? ")


def import_emm(path: Path, importing: Importing) -> None:
    """Read the alerts of *path* as themes.

    Raises:
        ConfigError: the file is not of the form above; says where.
    """
    root = parse_xml(read_text(path), path)
    alerts = [root] if root.tag == "alert" else list(root)
    for element in alerts:
        place = f"{path}:{element.sourceline}"
        if element.tag != "alert":
            raise ConfigError(f"{place}: <{element.tag}>: an <alert> is wanted here")
        _alert(element, path, importing)


def _alert(element: etree._Element, path: Path, importing: Importing) -> None:
    place = f"{path}:{element.sourceline}"
    title = (element.findtext("title") or element.get("id") or "").strip()
    if not title:
        raise ConfigError(f"{place}: <alert>: it has neither an id nor a title")
    threshold = _number(element, "threshold", path)
    if threshold is None or threshold <= 0:
        raise ConfigError(f"{place}: <alert>: it needs a threshold above 0")
    theme = ImportedTheme(
        name=identifier(element.get("id") or title),
        title=title,
        description=" ".join((element.findtext("description") or "").split()),
        mention=threshold,
        focus=_FOCUS * threshold,
        language=_language(element, path),
    )
    if theme.name in importing.themes:
        raise ConfigError(f"{place}: <alert>: the name {theme.name!r} is there already")
    importing.themes[theme.name] = theme
    for name in sorted(set(element.keys()) - {"id", "threshold", "language"}):
        importing.note(place, theme.name, f"left out: the attribute {name!r}")
    for part in element:
        at = f"{path}:{part.sourceline}"
        if part.tag == "keyword":
            weight = _number(part, "weight", path)
            if weight is None:
                raise ConfigError(f"{at}: <keyword>: it needs a weight")
            for term in _terms([part], path, theme, importing):
                importing.add_term(theme, term.words, weight, at)
        elif part.tag == "combination":
            _combination(part, path, theme, importing)
        elif part.tag not in ("title", "description"):
            importing.note(at, theme.name, f"left out: <{part.tag}>")


def _combination(
    element: etree._Element, path: Path, theme: ImportedTheme, importing: Importing
) -> None:
    place = f"{path}:{element.sourceline}"
    groups: list[Expression] = []
    unwanted: list[Term] = []
    for part in element:
        terms = _terms(part, path, theme, importing)
        if part.tag == "not":
            unwanted += terms
        elif part.tag != "group":
            raise ConfigError(
                f"{path}:{part.sourceline}: <{part.tag}>: <group> or <not> belong here"
            )
        elif terms:
            groups.append(either(terms))
        else:
            importing.note(place, theme.name, "left out: a combination with an empty group")
            return
    if not groups:
        importing.note(place, theme.name, "left out: a combination without a group")
        return
    proximity = _number(element, "proximity", path)
    if proximity is not None and proximity < 1:
        raise ConfigError(f"{place}: <combination>: proximity {proximity:g} is below 1")
    if proximity is None:
        expression = both(groups)
    else:
        expression = groups[0]
        for group in groups[1:]:
            expression = Near(expression, group, int(proximity), ordered=False)
    if unwanted:
        expression = AndNot(expression, either(unwanted))
    # A combination is enough by itself.
    importing.add_query(theme, expression, theme.mention, place, "combination")


def _terms(
    keywords: Iterable[etree._Element], path: Path, theme: ImportedTheme, importing: Importing
) -> list[Term]:
    """The keywords that rules of ours can be; the others are noted."""
    terms: dict[str, Term] = {}
    for element in keywords:
        place, written = f"{path}:{element.sourceline}", (element.text or "").strip()
        if element.tag != "keyword":
            raise ConfigError(f"{place}: <{element.tag}>: a <keyword> is wanted here")
        if set("*?=@") & set(written):
            what = f"left out: {written!r}: it would mean something else in a theme file"
            importing.note(place, theme.name, what)
        elif term := importing.term(written.translate(_OURS), place, theme.name):
            terms.setdefault(term.words, term)
    return list(terms.values())


def _language(element: etree._Element, path: Path) -> str | None:
    raw = element.get("language")
    code = normalise_code(raw)
    if raw is not None and code is None:
        raise ConfigError(f"{path}:{element.sourceline}: <alert>: {raw!r} is no language")
    return code


def _number(element: etree._Element, name: str, path: Path) -> float | None:
    raw = element.get(name)
    if raw is None:
        return None
    try:
        return float(int(raw))
    except ValueError:
        place = f"{path}:{element.sourceline}"
        raise ConfigError(f"{place}: <{element.tag}>: {name} {raw!r} is no whole number") from None
