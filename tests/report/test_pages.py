"""What stands on which page, and how text of others is shown."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from markupsafe import Markup
from selectolax.lexbor import LexborHTMLParser

from pipeline.history import DeadLetterCount, History
from pipeline.quoting import marked, one_line, web_link
from pipeline.report.pages import (
    MOST_STORIES,
    Card,
    Page,
    ReasonCount,
    count_reasons,
    divide,
    name_themes,
    pages_of,
)
from pipeline.report.rendering import language_name
from pipeline.report.stories import Member, ToldStory
from tests.report.outputs import NOW, alert_of, article, feed, theme, write_run
from transforms.errors import Reason


def report(out: Path, **titles: str) -> LexborHTMLParser:
    return LexborHTMLParser(pages(out, **titles)[-1].content)


def pages(out: Path, **titles: str) -> list[Page]:
    return list(pages_of(History(out), titles))


def text(tree: LexborHTMLParser, place: str) -> str:
    (node,) = tree.css(place)
    return " ".join(node.text(separator=" ").split())


def test_a_story_says_who_tells_it_and_which_words_made_its_themes(tmp_path: Path) -> None:
    first = article(1, theme("migration", sentence="Of asylum seekers, they spoke."), title="Boats")
    copies = [
        article(n, *first.themes, source=f"Paper {n}", story_id=first.story_id) for n in range(2, 7)
    ]
    write_run(tmp_path, [first, *copies])
    tree = report(tmp_path, migration="Migration and asylum")
    story = f"#story-{first.story_id}"
    assert text(tree, f"{story} h4") == "Boats"
    assert tree.css_first(f"{story} h4 a").attributes["href"] == "https://paper.example/1"
    assert "The Gazette , Paper 2 , Paper 3 , Paper 4 and 2 more" in text(tree, f"{story} .by")
    assert text(tree, f"{story} .tag") == "Migration and asylum focus"
    assert tree.css_first(f"{story} blockquote").text() == "Of asylum seekers, they spoke."
    assert text(tree, f"{story} mark") == "asylum seekers"


def test_what_the_last_run_said_is_listed_and_links_to_its_story(tmp_path: Path) -> None:
    write_run(tmp_path, [article(1)], as_of=NOW - timedelta(days=1))
    new, old = article(2, title="New"), article(3, title="Old")
    alerts = [alert_of(new, new.themes[0]), alert_of(old, old.themes[0], backfill=True)]
    write_run(tmp_path, [new, old], alerts=alerts)
    tree = report(tmp_path)
    (link,) = tree.css("#new .list a")
    assert link.attributes["href"] == f"#story-{new.story_id}"
    assert "old when first seen" in text(tree, f"#story-{old.story_id} .by")


def test_charts_have_their_numbers_in_tables(tmp_path: Path) -> None:
    write_run(tmp_path, [article(1), article(2, source="The Herald")])
    tree = report(tmp_path)
    assert len(tree.css("#glance svg")) == len(tree.css("#glance table")) == 3
    assert len(tree.css("#where svg")) == len(tree.css("#where table")) == 3
    rows = [row.text(separator=" ").split() for row in tree.css("#where table")[0].css("tbody tr")]
    assert rows == [["The", "Gazette", "0", "1", "0"], ["The", "Herald", "0", "1", "0"]]


def test_feeds_that_fail_or_are_silent_are_named(tmp_path: Path) -> None:
    silent = feed("https://b.example/feed", silent_since=NOW - timedelta(days=9))
    failing = feed("https://c.example/feed", name="The Courier", outcome="failed", failures=3)
    write_run(tmp_path, [], feeds=[feed("https://a.example/feed"), silent, failing])
    tree = report(tmp_path)
    health = text(tree, "#health")
    assert "2 of 3 feeds need a look" in health
    assert "https://b.example/feed silent 15 November 2026, 06:00 UTC" in health
    assert "The Courier failing 3 times" in health
    assert "a.example" not in health


def test_dead_letters_are_counted_by_reason_and_age() -> None:
    counts = [
        DeadLetterCount("a", NOW - timedelta(days=20), Reason.EMPTY, 9),
        DeadLetterCount("b", NOW - timedelta(days=2), Reason.EMPTY, 1),
        DeadLetterCount("c", NOW, Reason.TOO_LARGE, 2),
    ]
    assert count_reasons(counts, "c", NOW) == [
        ReasonCount("too_large", 2, 2, 2),
        ReasonCount("empty", 0, 1, 10),
    ]


def test_the_same_runs_make_the_same_bytes(tmp_path: Path) -> None:
    write_run(tmp_path, [article(n, source=f"S{n % 3}") for n in range(20)])
    assert pages(tmp_path) == pages(tmp_path)


def test_without_a_run_it_says_so(tmp_path: Path) -> None:
    (page,) = pages(tmp_path)
    assert page.name == "report.html"
    assert "There is no complete run" in page.content


def test_without_a_story_it_says_so(tmp_path: Path) -> None:
    write_run(tmp_path, [])
    tree = report(tmp_path)
    assert "No story has a theme yet." in text(tree, "#stories")
    assert text(tree, "#new .none") == "The last run had no news."


# Division among pages


def cards(*days: tuple[int, int], size: int = 500) -> list[Card]:
    """So many stories on a day of November, each of *size* bytes; the newest day first."""
    found = []
    for day, number in days:
        moment = datetime(2026, 11, day, tzinfo=UTC)
        member = Member(moment.date(), "S", "en", ("migration",))
        story = ToldStory("1", "T", None, moment, (), (member,))
        found += [Card(story, Markup("{}").format("x" * size))] * number
    return found


def shape(*days: tuple[int, int], size: int = 500) -> tuple[list[tuple[str, int]], int]:
    parts, left_out = divide(cards(*days, size=size))
    return [(part.name, len(part.cards)) for part in parts], left_out


def test_what_fits_on_one_page_stands_on_one() -> None:
    assert shape((24, 3_000), (23, 2_000)) == ([("report.html", MOST_STORIES)], 0)


def test_the_newest_days_stand_in_the_report_and_older_ones_by_themselves() -> None:
    assert shape((24, 3_000), (23, 1_000), (22, 1_500), (21, 1)) == (
        [
            ("report.html", 4_000),
            ("report/2026-11-22.html", 1_500),
            ("report/2026-11-21.html", 1),
        ],
        0,
    )


def test_a_day_that_is_too_much_for_a_page_has_several() -> None:
    assert shape((24, 12_000), (23, 6_000)) == (
        [
            ("report.html", 5_000),
            ("report/2026-11-24-1.html", 5_000),
            ("report/2026-11-24-2.html", 2_000),
            ("report/2026-11-23-1.html", 5_000),
            ("report/2026-11-23-2.html", 1_000),
        ],
        0,
    )


def test_large_stories_make_more_pages() -> None:
    names, _ = shape((24, 100), (23, 100), size=30_000)
    assert names == [("report.html", 100), ("report/2026-11-23.html", 100)]


def test_there_is_an_end_of_pages() -> None:
    names, left_out = shape((24, 5_000 * 70))
    assert len(names) == 60
    assert left_out == 10 * 5_000


# Text of others


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("A law", "A law"),
        ("a" * 30, "a" * 19 + "…"),
        ("one\n\ttwo\x00", "one two"),
        ("\u202eevil\u2069", "evil"),
        ("می\u200cخواهم \u05d0\u200f!", "می\u200cخواهم \u05d0\u200f!"),
    ],
)
def test_text_stands_on_one_line(given: str, shown: str) -> None:
    assert one_line(given, 20) == shown


def test_words_are_marked_and_what_is_far_from_them_is_cut() -> None:
    assert marked("The asylum law.", "asylum", 40) == ("The ", "asylum", " law.")
    assert marked("a" * 50 + "asylum" + "b" * 50, "asylum", 26) == (
        "…" + "a" * 10,
        "asylum",
        "b" * 10 + "…",
    )
    assert marked("asylum" + "b" * 50, "asylum", 26) == ("", "asylum", "b" * 20 + "…")
    assert marked("no such words", "asylum", 40) == ("no such words", "", "")


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://a.example/x?y", "https://a.example/x?y"),
        ("javascript:alert(1)", None),
        ("JaVaScRiPt:alert(1)", None),
        ("data:text/html,x", None),
        ("https://[broken", None),
        (None, None),
    ],
)
def test_only_addresses_of_the_web_are_links(url: str | None, link: str | None) -> None:
    assert web_link(url) == link


def test_languages_have_names() -> None:
    assert [language_name(code) for code in ("de", "und", "qqx")] == ["German", "unknown", "qqx"]


def test_no_two_themes_are_called_the_same() -> None:
    themes = name_themes(["a", "b", "c"], {"a": "Water", "b": "Water"})
    assert [theme.title for theme in themes.values()] == ["Water (a)", "Water (b)", "c"]
    assert Counter(theme.colour for theme in themes.values()) == {0: 1, 1: 1, 2: 1}
