"""Languages."""

import pytest

from transforms.logic.language import LanguageDetector, normalise_code

DETECTOR = LanguageDetector()


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The ministers met on Tuesday to discuss the new law on asylum."),
        ("fr", "Les ministres se sont réunis mardi pour discuter de la loi sur l'asile."),
        ("de", "Die Minister trafen sich am Dienstag, um über das Asylgesetz zu beraten."),
        ("it", "I ministri si sono riuniti martedì per discutere la legge sull'asilo."),
        ("es", "Los ministros se reunieron el martes para debatir la ley de asilo."),
        ("pl", "Ministrowie spotkali się we wtorek, aby omówić ustawę o azylu."),
    ],
)
def test_detects(language: str, text: str) -> None:
    assert DETECTOR.detect("", text) == language


def test_a_short_text_is_in_the_declared_language() -> None:
    assert DETECTOR.detect("Hi", "there", "pl") == "pl"


def test_nothing_known() -> None:
    assert DETECTOR.detect("", "") == "und"


@pytest.mark.parametrize(
    ("raw", "code"),
    [("en-GB", "en"), ("EN_us", "en"), ("English", "en"), ("und", None), ("text/html", None),
     ("", None), (None, None)],
)  # fmt: skip
def test_normalise_code(raw: str | None, code: str | None) -> None:
    assert normalise_code(raw) == code
