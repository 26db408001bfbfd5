"""British and American spelling."""

import pytest

from tests.themes import theme, words
from transforms.logic.themes.spelling import spellings

PAIRS = [
    ("labour", "labor"),
    ("neighbourhood*", "neighborhood*"),
    ("harbours", "harbors"),
    ("misbehaviour", "misbehavior"),
    ("favourable", "favorable"),
    ("dishonour", "dishonor"),
    ("coloured", "colored"),
    ("rumours", "rumors"),
    ("armoured", "armored"),
    ("endeavour", "endeavor"),
    ("centres", "centers"),
    ("theatre", "theater"),
    ("kilometres", "kilometers"),
    ("litre", "liter"),
    ("fibre", "fiber"),
    ("calibre", "caliber"),
    ("manoeuvre", "maneuver"),
    ("defences", "defenses"),
    ("offence", "offense"),
    ("licence", "license"),
    ("pretence", "pretense"),
    ("programme", "program"),
    ("traveller*", "traveler*"),
    ("travelling", "traveling"),
    ("travelled", "traveled"),
    ("cancelling", "canceling"),
    ("cancelled", "canceled"),
    ("counsellors", "counselors"),
    ("channelled", "channeled"),
    ("labelled", "labeled"),
    ("labelling", "labeling"),
    ("jewellery", "jewelry"),
    ("sceptics", "skeptics"),
    ("catalogue", "catalog"),
    ("dialogues", "dialogs"),
    ("judgement", "judgment"),
    ("analyse", "analyze"),
    ("paralysed", "paralyzed"),
    ("greylist", "graylist"),
    ("organise", "organize"),
    ("organised", "organized"),
    ("organiser", "organizer"),
    ("organisers", "organizers"),
    ("organises", "organizes"),
    ("organising", "organizing"),
    ("mobilisation", "mobilization"),
    ("mobilisations", "mobilizations"),
    ("recognisable", "recognizable"),
    ("organis*", "organiz*"),
    ("organisation*", "organization*"),
    ("*alise", "*alize"),
]


@pytest.mark.parametrize(("british", "american"), PAIRS)
def test_either_spelling_is_both(british: str, american: str) -> None:
    assert set(spellings(british)) == set(spellings(american))
    assert spellings(british)[0] == british
    assert american in spellings(british)


@pytest.mark.parametrize(("british", "american"), PAIRS)
@pytest.mark.parametrize("accents", ["exact", "fold"])
def test_either_spelling_is_found_in_the_text(british: str, american: str, accents: str) -> None:
    text = f"The {british} and {american}.".replace("*", "")
    both = [british.replace("*", ""), american.replace("*", "")]
    assert words(theme(british, accents=accents), text) == both
    assert words(theme(american, accents=accents), text) == both


@pytest.mark.parametrize(
    "word",
    [
        *("four", "for", "hour", "pour", "tour", "or", "your", "cheque", "check"),
        *("rise", "rising", "size", "sized", "prise", "prize", "wise", "seize"),
        *("organism", "tourist", "crisis", "basis", "asylum", "is", "quiz", "organis"),
    ],
)
def test_a_word_with_one_spelling(word: str) -> None:
    assert spellings(word) == (word,)


def test_each_word_of_a_phrase_has_its_spellings() -> None:
    assert set(spellings("organised labour")) == {
        "organised labour", "organised labor", "organized labour", "organized labor",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("term", "other"),
    [
        ("colourise", "colorize"),
        ("organise/mobilise", "organize/mobilize"),
        ("l'organisation", "l'organization"),
        ("women's centre", "women's center"),
    ],
)
def test_a_word_has_its_spellings_wherever_it_stands(term: str, other: str) -> None:
    assert other in spellings(term)


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("Organised-Crime", "ORGANIZED CRIME", ["ORGANIZED CRIME"]),
        ("labour camp*", "labor camps", ["labor camps"]),
        ("organisation", "organizations", []),
    ],
)
def test_spelling_goes_with_case_hyphens_and_wildcards(
    term: str, text: str, found: list[str]
) -> None:
    assert words(theme(term), text) == found
