"""One spelling for the analyst, both for the text: British and American."""

import re
from itertools import product

# Inside a word either of a pair also means the other. A pair may stand here when
# writing one for the other never makes another word: so "our/or" alone may not
# ("four", "for"), and neither may "cheque/check".
_PAIRS = (
    ("labour", "labor"),
    ("neighbour", "neighbor"),
    ("harbour", "harbor"),
    ("behaviour", "behavior"),
    ("favour", "favor"),
    ("honour", "honor"),
    ("colour", "color"),
    ("rumour", "rumor"),
    ("armour", "armor"),
    ("endeavour", "endeavor"),
    ("centre", "center"),
    ("theatre", "theater"),
    ("metre", "meter"),
    ("litre", "liter"),
    ("fibre", "fiber"),
    ("calibre", "caliber"),
    ("manoeuvre", "maneuver"),
    ("defence", "defense"),
    ("offence", "offense"),
    ("licence", "license"),
    ("pretence", "pretense"),
    ("programme", "program"),
    ("traveller", "traveler"),
    ("travelling", "traveling"),
    ("travelled", "traveled"),
    ("cancelling", "canceling"),
    ("cancelled", "canceled"),
    ("counsellor", "counselor"),
    ("channelled", "channeled"),
    ("labelled", "labeled"),
    ("labelling", "labeling"),
    ("jewellery", "jewelry"),
    ("sceptic", "skeptic"),
    ("catalogue", "catalog"),
    ("dialogue", "dialog"),
    ("judgement", "judgment"),
    ("analys", "analyz"),
    ("paralys", "paralyz"),
    ("grey", "gray"),
)
# -ise/-ize and what grows from it, after a stem of three letters (not "rise",
# "size", "prise"). The words with a fixed s, as "advise", have no z sibling.
_ISE = re.compile(
    r"((?:\w{3,}|[\w?]*\*[\w?]*)i)([sz])((?:e|ed|er|ers|es|ing|ation|ations|able)?\*?)"
)


def spellings(term: str) -> tuple[str, ...]:
    """A folded term in all its British and American spellings, its own first."""
    words_and_gaps = re.split(r"([^\w*?]+)", term)
    return tuple("".join(parts) for parts in product(*map(_word_spellings, words_and_gaps)))


def _word_spellings(word: str) -> tuple[str, ...]:
    """A folded word in all its British and American spellings, its own first."""
    found = [word]
    for british, american in _PAIRS:
        if british in word:
            found.append(word.replace(british, american))
        elif american in word:
            found.append(word.replace(american, british))
    for spelling in tuple(found):
        if (ise := _ISE.fullmatch(spelling)) and ise[3]:
            found.append(f"{ise[1]}{'z' if ise[2] == 's' else 's'}{ise[3]}")
    return tuple(dict.fromkeys(found))
