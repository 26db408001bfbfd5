"""Output folders for tests: runs as they lie on disk, of articles that the test names or many."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import zstandard

from pipeline.feeds.outcomes import FeedReport
from pipeline.feeds.state import Problem
from pipeline.manifest import (
    ARTICLES,
    FEEDS,
    MANIFEST,
    AlertCounts,
    Counts,
    Manifest,
    Runner,
    ToldCounts,
    alert_file,
)
from pipeline.sinks.run_files import json_line, write_table
from transforms.errors import Reason
from transforms.records import (
    Alert,
    AlertArticle,
    AlertStory,
    ArticleSummary,
    Evidence,
    MonitoredCount,
    Origin,
    Record,
    ThemeSummary,
)

THEMES = ("encryption", "migration", "organised_crime")
NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)

_WORDS = {
    "encryption": ("end-to-end encryption", "encrypted messages", "lawful access"),
    "migration": ("asylum seekers", "small boats", "illegal migration"),
    "organised_crime": ("people smugglers", "drug cartel", "money laundering"),
}


def evidence(words: str, sentence: str) -> Evidence:
    start = sentence.find(words)
    return Evidence(
        query=words.replace(" ", "_"),
        words=words,
        field="text",
        start=start,
        end=start + len(words),
        sentence=sentence,
    )


def theme(name: str = "migration", **changes: Any) -> ThemeSummary:
    words = changes.pop("words", _WORDS.get(name, (name,))[0])
    sentence = changes.pop("sentence", f"Ministers spoke of {words} on Monday.")
    values = {
        "theme": name,
        "level": "focus",
        "score": 9.0,
        "evidence": evidence(words, sentence),
    }
    return ThemeSummary(**(values | changes))


def article(number: int, *themes: ThemeSummary, **changes: Any) -> ArticleSummary:
    """Article *number*, of a story of its own unless *changes* says another `story_id`."""
    values: dict[str, Any] = {
        "article_id": f"1{number:032x}",
        "story_id": f"1{number:032x}",
        "url": f"https://paper.example/{number}",
        "title": f"Headline {number}",
        "source": "The Gazette",
        "language": "en",
        "tags": (),
        "published_at": NOW - timedelta(hours=1),
        "updated_at": None,
        "seen_at": NOW,
        "text_hash": f"{number:064x}",
        "themes": themes or (theme(),),
    }
    return ArticleSummary(**(values | changes))


def alert_of(summary: ArticleSummary, found: ThemeSummary, **changes: Any) -> Alert:
    """What a run says of the story of one article."""
    values: dict[str, Any] = {
        "alert_id": f"{found.theme}-{summary.story_id}",
        "theme": found.theme,
        "theme_version": "v",
        "codes": {},
        "level": found.level,
        "score": found.score,
        "backfill": False,
        "story": AlertStory(
            story_id=summary.story_id,
            articles=1,
            sources=(summary.source,),
            article_ids=(summary.article_id,),
        ),
        "article": AlertArticle(
            article_id=summary.article_id,
            url=summary.url,
            title=summary.title,
            source=summary.source,
            language=summary.language,
            authors=(),
            published_at=summary.published_at,
            published_from="file",
            seen_at=summary.seen_at,
            text_hash=summary.text_hash,
            origin=Origin(path="articles.jsonl", offset=0),
        ),
        "evidence": (found.evidence,),
    }
    return Alert(**(values | changes))


def write_run(
    out: Path,
    articles: Sequence[ArticleSummary],
    *,
    as_of: datetime = NOW,
    alerts: Iterable[Alert] | None = None,
    monitored: Mapping[date, int] | None = None,
    feeds: Iterable[FeedReport] = (),
    dead_letters: Mapping[Reason, int] | None = None,
    themes: Iterable[str] = THEMES,
) -> None:
    """Write one run; it says an alert of each theme of each article, where not told others."""
    sequence = 1 + len(list(out.glob("runs/*")))
    run_id = f"{as_of:%Y%m%dT%H%M%SZ}"
    folder = out / "runs" / run_id
    (folder / "alerts").mkdir(parents=True)
    if alerts is None:
        alerts = [alert_of(one, found) for one in articles for found in one.themes]
    by_theme: dict[str, list[Alert]] = {name: [] for name in themes}
    for alert in alerts:
        by_theme[alert.theme].append(alert)
    for name, said in by_theme.items():
        (folder / alert_file(name)).write_bytes(_lines(said))
    (folder / ARTICLES).write_bytes(zstandard.compress(_lines(articles)))
    (folder / FEEDS).write_bytes(_lines(feeds))
    if monitored is None:
        monitored = Counter(one.published_at.date() for one in articles)
    write_table(
        folder / "aggregates", "monitored_by_day", MonitoredCount, _counts(monitored), ("parquet",)
    )
    letters = dict(dead_letters or {})
    manifest = Manifest(
        run_id=run_id,
        sequence=sequence,
        as_of=as_of,
        all_backfill=False,
        started_at=as_of,
        finished_at=as_of,
        counts=Counts(
            read=len(articles) + sum(letters.values()),
            classified=len(articles),
            duplicates=0,
            already_seen=0,
            dead_letters=sum(letters.values()),
        ),
        dead_letters=letters,
        alerts={name: AlertCounts() for name in by_theme},
        told=ToldCounts(
            articles=len(articles),
            published_first=min((one.published_at for one in articles), default=None),
            published_last=max((one.published_at for one in articles), default=None),
        ),
        inputs=(),
        runner=Runner(name="FnApiRunner", mode="in_memory", workers=1, options=()),
        versions={},
        config={},
        themes=dict.fromkeys(by_theme, "v"),
        files={},
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json())


def _lines(records: Iterable[Record]) -> bytes:
    return b"".join(json_line(record) + b"\n" for record in records)


def _counts(monitored: Mapping[date, int]) -> list[MonitoredCount]:
    return [
        MonitoredCount(
            bucket_start=(start := datetime.combine(day, time(), UTC)),
            bucket_end=start + timedelta(days=1),
            source="all",
            language="en",
            articles=number,
        )
        for day, number in monitored.items()
    ]


def feed(url: str, **changes: Any) -> FeedReport:
    values: dict[str, Any] = {
        "url": url,
        "name": None,
        "tags": (),
        "outcome": "read",
        "status": 200,
        "seconds": 0.1,
        "problem": None,
        "failures": 0,
        "format": "rss20",
        "entries": 20,
        "new_entries": 1,
        "pages": 0,
        "pages_failed": 0,
        "identity": "link",
        "oddities": (),
        "moved_to": None,
        "silent_since": None,
        "next_at": NOW + timedelta(hours=1),
    }
    return FeedReport(**(values | changes))


def write_months(out: Path, *, days: int = 84, stories: int = 60) -> None:
    """A run a day, *stories* on a working day, weekends quieter, and a burst in the last days."""
    rng = random.Random(20261124)
    number = 0
    for back in reversed(range(days)):
        as_of = NOW - timedelta(days=back)
        quiet = 0.5 if as_of.weekday() >= 5 else 1.0
        articles = []
        for _ in range(round(stories * quiet * rng.uniform(0.8, 1.2))):
            number += 1
            articles += _story(rng, number, as_of, burst=None)
        if back in (0, 1):
            for _ in range(stories):
                number += 1
                articles += _story(rng, number, as_of, burst="organised_crime")
        write_run(
            out,
            articles,
            as_of=as_of,
            alerts=_first_alerts(articles),
            monitored={as_of.date(): round(20 * stories * quiet)},
            feeds=[
                feed("https://feeds.example/gazette.xml", name="The Gazette"),
                feed(
                    "https://feeds.example/courier.xml",
                    name="The Courier",
                    outcome="failed",
                    failures=4,
                    problem=Problem(
                        reason=Reason.HTTP_ERROR,
                        detail="the server answered 503 Service Unavailable",
                        status=503,
                    ),
                ),
                feed("https://feeds.example/ministry.xml", silent_since=NOW - timedelta(days=9)),
            ],
            dead_letters={Reason.MALFORMED_JSON: rng.randint(0, 3), Reason.TIMED_OUT: 1},
        )


_PAPERS = (
    *("The Gazette", "The Herald", "The Courier", "Le Journal", "Corriere del Lago"),
    *("Der Anzeiger", "Gazeta Wieczorna", "El Diario", "Digital Rights Watch", "Press Agency"),
    *("Evening Post", "Морской вестник", "العربية نيوز", "Interior Ministry", "Le Quotidien"),
)
_LANGUAGES = dict(zip(_PAPERS, "en en en fr it de pl es en en en ru ar en fr".split(), strict=True))
_SUBJECTS = "Ministers Police Judges Mayors Campaigners Lawmakers Prosecutors Coastguards".split()
_VERBS = "warn of|agree on|clash over|promise action on|publish figures on|question".split("|")
_PLACES = "Brussels Lampedusa Rotterdam Calais Warsaw Vienna Athens Dover Hamburg Madrid".split()
_TAILS = (
    "after a night of talks that left several capitals unconvinced about who would pay for it",
    "as the parliament prepared for a vote that both sides described as the closest in years",
    "although officials said that the figures were provisional and would be revised in spring",
    "while charities and lawyers asked why the promised safeguards had not been written down",
)


def _story(
    rng: random.Random, number: int, as_of: datetime, burst: str | None
) -> list[ArticleSummary]:
    """The articles of one story: most have one, some are printed by many papers."""
    names = [burst] if burst else rng.sample(THEMES, k=rng.choice((1, 1, 1, 1, 2)))
    place = "Rotterdam" if burst else rng.choice(_PLACES)
    themes = []
    for name in sorted(names):
        words = "drug cartel" if burst else rng.choice(_WORDS[name])
        sentence = (
            f"{rng.choice(_SUBJECTS)} meeting in {place} on {as_of:%A} spoke at length about "
            f"{words}, {rng.choice(_TAILS)}."
        )
        level = rng.choice(("focus", "mention"))
        score = float(rng.randint(4, 40))
        themes.append(theme(name, level=level, score=score, words=words, sentence=sentence))
    what = themes[0].evidence.words
    title = f"{rng.choice(_SUBJECTS)} in {place} {rng.choice(_VERBS)} {what}"
    papers = rng.sample(_PAPERS, k=min(len(_PAPERS), 1 + int(rng.expovariate(1.2))))
    first = as_of - timedelta(minutes=rng.randint(1, int(60 * (as_of.hour or 24)) - 1))
    return [
        article(
            16 * number + copy,
            *themes,
            story_id=f"1{16 * number:032x}",
            url=f"https://www.paper{copy}.example/{as_of:%Y/%m/%d}/a-headline-of-{number}",
            title=title,
            source=paper,
            language=_LANGUAGES[paper],
            published_at=first + timedelta(minutes=copy),
            seen_at=as_of,
        )
        for copy, paper in enumerate(papers)
    ]


def _first_alerts(articles: Iterable[ArticleSummary]) -> list[Alert]:
    firsts = {one.story_id: one for one in reversed(list(articles))}
    return [alert_of(one, found) for one in firsts.values() for found in one.themes]
