"""How well themes are found: figures of known cases, and labels that cannot be read."""

import gzip
import json
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluate import (
    Evaluation,
    Figures,
    Interval,
    Labelled,
    Levels,
    Wrong,
    evaluate,
    figures,
    read_labelled,
    wilson,
)
from tests.themes import theme
from transforms.errors import ConfigError
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.records import ThemeHit

NAMES = ("gangs", "mobs")
MATCHER = ThemeMatcher([theme("gang*", theme="gangs"), theme("mob*", theme="mobs")])
PERFECT = Figures(1.0, 1.0, 1.0, 0)


def plain(every: dict[str, Figures] | Figures) -> object:
    """Figures without their intervals."""
    if isinstance(every, Figures):
        return every._replace(intervals=None)
    return {name: plain(one) for name, one in every.items()}


def evaluated(*articles: Labelled) -> Evaluation:
    return evaluate(articles, NAMES, MATCHER.hits)


def labelled(text: str, *themes: str, **fields: object) -> Labelled:
    return Labelled.model_validate({"text": text, "themes": themes, **fields})


def read(tmp_path: Path, content: bytes) -> list[Labelled]:
    (tmp_path / "x.jsonl").write_bytes(content)
    return list(read_labelled(tmp_path / "x.jsonl", frozenset(NAMES)))


def problem(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, content)
    return str(raised.value).removeprefix(str(tmp_path / "x.jsonl"))


# Figures


@pytest.mark.parametrize(
    ("found", "missed", "false", "expected"),
    [
        (0, 0, 0, Figures(1, 1, 1, 0)),
        (3, 0, 0, Figures(1, 1, 1, 3)),
        (3, 1, 1, Figures(0.75, 0.75, 0.75, 4)),
        (2, 2, 0, Figures(1, 0.5, 2 / 3, 4)),
        (2, 0, 2, Figures(0.5, 1, 2 / 3, 2)),
        (0, 4, 0, Figures(0, 0, 0, 4)),
        (0, 0, 4, Figures(0, 0, 0, 0)),
        (0, 1, 1, Figures(0, 0, 0, 1)),
    ],
)
def test_figures(found: int, missed: int, false: int, expected: Figures) -> None:
    assert figures(found, missed, false) == expected


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_f1_lies_between_precision_and_recall(found: int, missed: int, false: int) -> None:
    precision, recall, f1, support, _ = figures(found, missed, false)
    assert 0 <= min(precision, recall) <= f1 + 1e-9
    assert f1 <= max(precision, recall) + 1e-9 <= 1 + 1e-9
    assert support == found + missed


def test_micro_is_over_all_decisions_and_macro_the_mean_of_the_themes() -> None:
    articles = [
        labelled("A gang", "gangs"),
        labelled("A gang", "gangs"),
        labelled("Two gangs", "gangs"),
        labelled("A clan", "gangs"),
        labelled("A mob"),
        labelled("A mob and a gang", "gangs", "mobs"),
        labelled("Rain"),
    ]
    result = evaluate(articles, NAMES, MATCHER.hits)
    assert plain(result.themes) == {
        "gangs": Figures(1, 0.8, 8 / 9, 5),
        "mobs": Figures(0.5, 1, 2 / 3, 1),
    }
    assert plain(result.micro) == Figures(5 / 6, 5 / 6, 5 / 6, 6)
    assert plain(result.macro) == Figures(0.75, 0.9, pytest.approx((8 / 9 + 2 / 3) / 2), 6)


def test_no_articles_are_no_mistakes() -> None:
    result = evaluate([], NAMES, MATCHER.hits)
    assert plain(result.themes) == {"gangs": PERFECT, "mobs": PERFECT}
    assert (plain(result.micro), plain(result.macro)) == (PERFECT, PERFECT)
    assert (result.languages, result.wrong) == ({}, ())


def test_a_theme_that_nobody_speaks_of_is_no_mistake() -> None:
    result = evaluate([labelled("A gang", "gangs")], NAMES, MATCHER.hits)
    assert plain(result.themes["mobs"]) == PERFECT
    assert plain(result.micro) == plain(result.macro) == Figures(1, 1, 1, 1)


@pytest.mark.parametrize("text", ["A gang", "Rain"])
@pytest.mark.parametrize("themes", [(), ("gangs",)])
def test_an_article_does_not_count_for_a_theme_that_is_unsure(
    text: str, themes: tuple[str, ...]
) -> None:
    result = evaluate([labelled(text, *themes, unsure=["gangs"])], NAMES, MATCHER.hits)
    assert plain(result.themes) == {"gangs": PERFECT, "mobs": PERFECT}
    assert result.wrong == ()


def test_an_article_that_is_unsure_of_one_theme_counts_for_the_others() -> None:
    result = evaluate([labelled("A mob", "mobs", unsure=["gangs"])], NAMES, MATCHER.hits)
    assert plain(result.themes) == {"gangs": PERFECT, "mobs": Figures(1, 1, 1, 1)}


def test_the_order_of_articles_makes_no_difference() -> None:
    articles = [labelled("A gang", "gangs"), labelled("A clan", "gangs"), labelled("A mob")]
    forth = evaluate(articles, NAMES, MATCHER.hits)
    back = evaluate(articles[::-1], NAMES, MATCHER.hits)
    assert (forth.every, forth.languages) == (back.every, back.languages)
    assert forth.wrong == back.wrong[::-1]


# What was wrong


def test_each_wrong_decision_is_named_with_the_words_that_caused_it() -> None:
    articles = [
        labelled("A gang and gangs", title="First"),
        labelled("A clan", "gangs", title="Second", id="7"),
        labelled("A clan " * 20, "mobs"),
    ]
    assert evaluate(articles, NAMES, MATCHER.hits).wrong == (
        Wrong("First", "gangs", "false alarm", 1.75, ("gang", "gangs")),
        Wrong("7 Second", "gangs", "missed", 0.0, ()),
        Wrong(("A clan " * 20)[:60], "mobs", "missed", 0.0, ()),
    )


def test_texts_are_cleaned_as_in_a_run() -> None:
    seen: list[tuple[str, str]] = []

    def hits(title: str, text: str, *, language: str, source: str) -> tuple[ThemeHit, ...]:
        seen.append((title, text))
        return ()

    html = labelled("<p>One &amp; two</p><p>three</p>", title="<b>A</b><br>title")
    plain = labelled("a  b\r\n\r\nc", title="e\N{COMBINING ACUTE ACCENT}\nf")
    evaluate([html, plain], NAMES, hits)
    assert seen == [("A title", "One & two\nthree"), ("é f", "a b\nc")]


def test_an_evaluation_is_plain_data() -> None:
    said = evaluated(labelled("A gang", "gangs", language="en")).as_json()
    sure = [pytest.approx(0.2065, abs=1e-4), 1.0]
    one = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1}
    found = one | {"intervals": {"precision": sure, "recall": sure, "f1": [1, 1]}}
    nothing = {name: [0, 1] for name in ("precision", "recall", "f1")}
    every = {
        "themes": {"gangs": found, "mobs": one | {"support": 0, "intervals": nothing}},
        "micro": found,
        "macro": one | {"intervals": {"precision": None, "recall": None, "f1": [1, 1]}},
    }
    plainly = json.loads(orjson.dumps(said))
    assert plainly == every | {"languages": {"en": every}, "levels": {}, "wrong": []}


# How sure figures are


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (1, 10, 0.0179, 0.4042),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_of_the_literature(
    successes: int, trials: int, low: float, high: float
) -> None:
    assert wilson(successes, trials) == (
        pytest.approx(low, abs=6e-5),
        pytest.approx(high, abs=6e-5),
    )


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_wilson_interval_holds_its_share(successes: int, failures: int) -> None:
    interval = wilson(successes, successes + failures)
    share = successes / (successes + failures) if successes + failures else 0.5
    assert 0 <= interval.low <= share <= interval.high <= 1


def f1_interval(articles: list[Labelled]) -> Interval:
    intervals = evaluated(*articles).themes["gangs"].intervals
    assert intervals is not None
    return intervals.f1


def test_more_articles_make_f1_surer() -> None:
    some = [labelled("A gang", "gangs")] * 3 + [labelled("A clan", "gangs"), labelled("A gang")]
    few, many = f1_interval(some), f1_interval(some * 20)
    assert few.low < many.low < 0.75 < many.high < few.high
    assert f1_interval(some) == few


def test_an_f1_of_which_nothing_is_known_may_be_anything() -> None:
    assert f1_interval([labelled("Rain")] * 50) == (0, 1)


def test_the_bootstrap_agrees_with_the_spread_of_many_samples() -> None:
    # 60 found, 20 missed and 20 false of 1,000: F1 0.75, whose standard error is
    # sqrt(f1 (1 - f1) (2 - f1) / (2 tp + fn + fp)) by the delta method, halved at both ends.
    articles = (
        [labelled("A gang", "gangs")] * 60
        + [labelled("A clan", "gangs")] * 20
        + [labelled("A gang")] * 20
        + [labelled("Rain")] * 900
    )
    error = (0.75 * 0.25 * 1.25 / 160) ** 0.5
    low, high = f1_interval(articles)
    assert low == pytest.approx(0.75 - 1.96 * error, abs=0.015)
    assert high == pytest.approx(0.75 + 1.96 * error, abs=0.015)


# Languages and levels


def test_each_language_has_figures_of_its_own() -> None:
    result = evaluated(
        labelled("A gang", "gangs", language="en-GB"),
        labelled("A clan", "gangs", language="de"),
        labelled("Sie sagten gestern, dass die Polizei in Berlin eine Gang sucht.", "gangs"),
    )
    found = {name: one.themes["gangs"][1:4] for name, one in result.languages.items()}
    assert found == {"de": (0.5, pytest.approx(2 / 3), 2), "en": (1, 1, 1)}


def test_language_and_source_are_told_to_the_matcher() -> None:
    seen: list[tuple[str, str]] = []

    def hits(title: str, text: str, *, language: str, source: str) -> tuple[ThemeHit, ...]:
        seen.append((language, source))
        return ()

    evaluate([labelled("Rain", language="Deutsch", source="BBC")], NAMES, hits)
    assert seen == [("de", "BBC")]


def test_levels_are_counted_where_the_theme_is_found_rightly() -> None:
    result = evaluated(
        labelled("A gang", "gangs", levels={"gangs": "mention"}),
        labelled("A gang", "gangs", levels={"gangs": "focus"}),
        labelled("A clan", "gangs", levels={"gangs": "focus"}),
        labelled("A gang", "gangs"),
    )
    assert result.levels == {"gangs": Levels(2, 1)}
    assert [one.kind for one in result.wrong] == ["mention, not focus", "missed"]


# Labelled articles


def test_labelled_articles_are_read(tmp_path: Path) -> None:
    content = (
        b'{"title":"A","text":"B","themes":["gangs"],"unsure":["mobs"],"id":"7"}\n'
        b'\n{"themes":[],"more":1}'
    )
    both = [
        Labelled(title="A", text="B", themes=("gangs",), unsure=("mobs",), id="7"),
        Labelled(themes=()),
    ]
    assert read(tmp_path, content) == both
    assert read(tmp_path, gzip.compress(content)) == both


def test_an_empty_file_has_no_articles(tmp_path: Path) -> None:
    assert read(tmp_path, b"") == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"themes":[]}\n\n{"title":"A"}\n', ":3: themes: Field required"),
        (b'{"themes":"gangs"}', ":1: themes: Input should be a valid tuple"),
        (b'{"themes":["gangs",5]}', ":1: themes.1: Input should be a valid string"),
        (b'{"themes":[],"title":5}', ":1: title: Input should be a valid string"),
        (
            b'{"themes":[],"levels":{"gangs":"focus"}}',
            ":1: line: Value error, levels has 'gangs', which is not among the themes",
        ),
        (
            b'{"themes":["gangs"],"levels":{"gangs":"some"}}',
            ":1: levels.gangs: Input should be 'mention' or 'focus'",
        ),
        (b"[]", ":1: line: Input should be a valid dictionary or instance of Labelled"),
        (b'{"themes":["gang"]}', ":1: no theme 'gang'; known: gangs, mobs"),
        (b'{"themes":[]}\n{"themes":[],"unsure":["x"]}', ":2: no theme 'x'; known: gangs, mobs"),
    ],
)
def test_a_mistake_in_a_line(tmp_path: Path, content: bytes, why: str) -> None:
    assert problem(tmp_path, content) == why


@pytest.mark.parametrize("line", [b"{broken", b'{"title":"\xff"}', b'{"title":"\\ud800"}'])
def test_a_line_that_is_no_json(tmp_path: Path, line: bytes) -> None:
    assert problem(tmp_path, b'{"themes":[]}\n' + line).startswith(":2: no JSON: ")


def test_what_was_read_before_a_mistake_stays_good(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b'{"themes":[]}\n{broken\n')
    articles = read_labelled(tmp_path / "x.jsonl", frozenset(NAMES))
    assert next(articles) == Labelled(themes=())
    with pytest.raises(ConfigError):
        next(articles)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.jsonl"
    with pytest.raises(ConfigError) as raised:
        list(read_labelled(path, frozenset(NAMES)))
    assert str(raised.value) == f"{path}: No such file or directory"


def test_a_file_that_was_cut_off(tmp_path: Path) -> None:
    content = gzip.compress(b'{"themes":[]}\n' * 1000)[:-20]
    assert problem(tmp_path, content).startswith(": Compressed file ended")
