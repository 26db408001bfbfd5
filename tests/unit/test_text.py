"""Cleaning, text out of HTML, sentences."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.logic.text import clean_text, html_to_text, looks_like_html, sentence_ends

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from(" \n\r\t\0\u00ad\u200b\u00a0\u0301.")
)


@given(TEXTS)
def test_cleaning_is_idempotent(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


@given(TEXTS)
def test_text_out_of_html_is_clean(html: str) -> None:
    assert html_to_text(html) == clean_text(html_to_text(html))


@given(st.text(st.characters(exclude_characters="<&", exclude_categories=["Cs"])))
def test_what_holds_no_markup_is_read_as_html_all_the_same(text: str) -> None:
    assert html_to_text(text) == html_to_text(f"<b></b>{text}")


def sentence_span(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentence that holds text[start:end], without blanks around it."""
    ends = sentence_ends(text)
    first = max((at for at in ends if at <= start), default=0)
    last = min((at for at in ends if at >= end), default=len(text))
    inner = text[first:last]
    first += len(inner) - len(inner.lstrip())
    return first, first + len(inner.strip())


@given(TEXTS.map(clean_text).filter(bool), st.data())
def test_sentence_holds_its_span_and_no_line_feed(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    if "\n" in text[start:end] or text[start:end] != text[start:end].strip():
        return
    first, last = sentence_span(text, start, end)
    assert first <= start < end <= last
    assert "\n" not in text[first:last]


def test_clean_ascii_comes_back_as_the_same_object() -> None:
    text = "One paragraph.\nAnother one."
    assert clean_text(text) is text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\u00a0 b\t\tc", "a b c"),
        ("a \r\n \r\n b", "a\nb"),
        ("as\u00adyl\u200bum\ufeff", "asylum"),
        ("e\u0301tat", "état"),
        ("e\u200b\u0301tat", "état"),
        ("nu\0ll", "null"),
        (" \n ", ""),
    ],
)
def test_cleaning(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


def test_blocks_end_paragraphs_and_scripts_are_silent() -> None:
    html = "<p>a<br>b <b>c</b>d</p><script>x</script>e &amp; f"
    assert html_to_text(html) == "a\nb cd\ne & f"


@pytest.mark.parametrize("text", ["a < b", "R&D", "if x<y and y>z", "AT&T"])
def test_plain_text_is_not_taken_for_html(text: str) -> None:
    assert not looks_like_html(text)


@pytest.mark.parametrize("text", ["<p>a", "a &amp; b", "a<br/>b", "&#8217;"])
def test_html_is_recognised(text: str) -> None:
    assert looks_like_html(text)


@pytest.mark.parametrize(
    "hostile", [" " * 100_000 + "x", "\t\n " * 30_000, "<p>a b</p>" * 10_000, "<div>" * 10_000]
)
def test_hostile_input_takes_linear_time(hostile: str) -> None:
    begun = perf_counter()
    clean_text(hostile)
    html_to_text(hostile)
    assert perf_counter() - begun < 2


@pytest.mark.parametrize(
    ("text", "word", "sentence"),
    [
        ("He met Dr. Who at 3.5 p.m. on Monday. Then rain.", "Who",
         "He met Dr. Who at 3.5 p.m. on Monday."),
        ("One. The U.S. Senate voted. Two.", "voted", "The U.S. Senate voted."),
        ("M. Macron a parlé. Fin.", "parlé", "M. Macron a parlé."),
        ("Er sagte z.B. nichts dazu. Ende.", "nichts", "Er sagte z.B. nichts dazu."),
        ("Il Sig. Rossi parlò. Fine.", "parlò", "Il Sig. Rossi parlò."),
        ("La Sra. Gil votó. Fin.", "votó", "La Sra. Gil votó."),
        ("To jest np. Sejm. Koniec.", "Sejm", "To jest np. Sejm."),
        ('He said "Stop it." Then he left.', "left", "Then he left."),
        ("See https://x.org/a.b?c=1 now. End.", "now", "See https://x.org/a.b?c=1 now."),
        ("A headline\nThe body. More", "body", "The body."),
    ],
)  # fmt: skip
def test_sentence_around_a_word(text: str, word: str, sentence: str) -> None:
    at = text.index(word)
    first, last = sentence_span(text, at, at + len(word))
    assert text[first:last] == sentence
