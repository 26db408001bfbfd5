"""What is counted: a row for each theme of each article."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any, Final, Literal, NamedTuple, Protocol, get_args

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.history import within
from pipeline.stats.buckets import Grain, bucket_start, bucket_starts
from transforms.logic.urls import canonical_url, host_of
from transforms.records import Level

Dimension = Literal["hour", "day", "week", "theme", "source", "language", "level", "tag", "country"]
GRAINS: Final[tuple[Grain, ...]] = get_args(Grain)
OF_MONITORED: Final = ("source", "language")
"""What is known of articles without a theme, too, beside their time."""


class Told(Protocol):
    """Where figures come from: `pipeline.history.History`, or a database.

    Spans of time are by `published_at`, from *since* on, and before *until*.
    """

    def articles(self, since: datetime | None = None, until: datetime | None = None) -> pa.Table:
        """Articles with a theme, in the order of `published_at`, then `article_id`."""

    def monitored(
        self,
        by: Literal["day", "hour"] = "day",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pa.Table:
        """How many articles were classified, a bucket in UTC, source and language.

        Empty where that is not known by *by*.
        """


class Period(NamedTuple):
    """A span of time; a None has no end on that side."""

    since: datetime | None = None
    until: datetime | None = None  # exclusive

    @property
    def before(self) -> "Period":
        """The span just as long before it. It must have both ends."""
        if self.since is None or self.until is None:
            raise ValueError("there is nothing before a period without a beginning or an end")
        return Period(self.since - (self.until - self.since), self.since)

    def holds(self, moment: datetime) -> bool:
        """Whether *moment* is in it."""
        return (self.since is None or self.since <= moment) and (
            self.until is None or moment < self.until
        )


class Selection(NamedTuple):
    """What is to be counted; of what is left empty, all."""

    themes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    tags: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()

    @property
    def fits_monitored(self) -> bool:
        """Whether all but the theme is known of articles without one, too."""
        return not (self.levels or self.tags or self.countries)


class Held:
    """What is told of a period, read once to be asked of several times."""

    def __init__(self, told: Told, period: Period) -> None:
        self._articles = told.articles(period.since, period.until)
        self._monitored = cache(lambda by: told.monitored(by, period.since, period.until))

    def articles(self, since: datetime | None = None, until: datetime | None = None) -> pa.Table:
        """As `Told.articles`."""
        return within(self._articles, "published_at", since, until)

    def monitored(
        self,
        by: Literal["day", "hour"] = "day",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pa.Table:
        """As `Told.monitored`."""
        return within(self._monitored(by), "bucket_start", since, until)


def read_facts(told: Told, period: Period, selection: Selection) -> pa.Table:
    """A row for each theme of each article that was published in *period*."""
    return select(facts_of(told.articles(period.since, period.until)), selection)


def facts_of(articles: pa.Table) -> pa.Table:
    """A row for each theme of each article.

    Beside the article's columns there are `publisher`, as in the aggregates of runs; `country`,
    the top-level domain of its link where that is one of a country; and `theme`, `level`,
    `score` and `words`. An article that has lost its last theme has no row.
    """
    articles = articles.combine_chunks()
    hosts = [_host(url) for url in articles["url"].to_pylist()]
    known = pa.array(hosts, pa.string())
    publishers = pc.coalesce(known, articles["source"])
    countries = pa.array([_country(host) for host in hosts], pa.string())
    of_article = pc.list_parent_indices(articles["themes"])
    themes = pc.list_flatten(articles["themes"])
    rows = (
        articles.drop_columns(["themes"])
        .append_column("publisher", publishers)
        .append_column("country", countries)
        .take(of_article)
    )
    for name in ("theme", "level", "score"):
        rows = rows.append_column(name, pc.struct_field(themes, name))
    return rows.append_column("words", pc.struct_field(themes, ["evidence", "words"]))


def _host(url: str | None) -> str | None:
    canonical = canonical_url(url)
    return host_of(canonical) if canonical else None


def _country(host: str | None) -> str | None:
    """The domains of countries, and no others, have two letters."""
    domain = host.rpartition(".")[2] if host else ""
    return domain if len(domain) == 2 and domain.isalpha() else None


def select(facts: pa.Table, selection: Selection) -> pa.Table:
    """The rows that are to be counted."""
    for column, wanted in (
        ("theme", selection.themes),
        ("level", selection.levels),
        ("country", selection.countries),
        ("source", selection.sources),
        ("language", selection.languages),
    ):
        if wanted:
            facts = facts.filter(pc.is_in(facts[column], pa.array(wanted, pa.string())))
    if selection.tags:
        rows = pc.list_parent_indices(facts["tags"])
        fits = pc.is_in(pc.list_flatten(facts["tags"]), pa.array(selection.tags, pa.string()))
        chosen = pc.unique(rows.filter(fits))
        facts = facts.take(chosen)
    return facts


def keyed(table: pa.Table, by: Iterable[str], zone: tzinfo, time: str = "published_at") -> pa.Table:
    """*table* with a column for each of *by*.

    Buckets are the times at which they begin. A row with several tags comes once for each,
    one without any has None.
    """
    for dimension in by:
        if dimension in GRAINS:
            table = table.append_column(dimension, bucket_starts(table[time], dimension, zone))
        elif dimension == "tag":
            table = _a_row_for_each_tag(table)
    return table


def _a_row_for_each_tag(facts: pa.Table) -> pa.Table:
    rows = pc.list_parent_indices(facts["tags"])
    tagged = facts.take(rows).append_column("tag", pc.list_flatten(facts["tags"]))
    plain = facts.filter(pc.equal(pc.list_value_length(facts["tags"]), 0))
    none = pa.nulls(len(plain), pa.string())
    return pa.concat_tables([tagged, plain.append_column("tag", none)])


Key = tuple[Any, ...]
"""The value of each thing that a count is by: a name, or when a bucket begins; or None."""


def rows_of(table: pa.Table, by: Sequence[str]) -> Iterable[tuple[Key, tuple[int, ...]]]:
    """The rows of a table of counts: the values of *by*, and then its other columns."""
    columns = [table[name].to_pylist() for name in by]
    numbers = [table[name].to_pylist() for name in table.column_names if name not in by]
    keys = zip(*columns, strict=True) if columns else [()] * len(table)
    return zip(keys, zip(*numbers, strict=True), strict=True)


def count_monitored(
    told: Told, period: Period, selection: Selection, by: Sequence[str], zone: tzinfo
) -> Mapping[Key, int]:
    """How many articles were monitored, by what of *by* is known of all of them.

    Only what is selected of times, sources and languages narrows it. Nothing where it is not
    known of such short or such shifted spans.
    """
    known = [dimension for dimension in by if dimension in (*GRAINS, *OF_MONITORED)]
    days = _are_days_of_utc(known, period, zone)
    table = told.monitored("day" if days else "hour", period.since, period.until)
    for column, wanted in (("source", selection.sources), ("language", selection.languages)):
        if wanted:
            table = table.filter(pc.is_in(table[column], pa.array(wanted, pa.string())))
    table = keyed(table, known, zone, time="bucket_start")
    counts = table.group_by(known, use_threads=False).aggregate([("articles", "sum")])
    return {key: numbers[0] or 0 for key, numbers in rows_of(counts, known)}


def _are_days_of_utc(by: Sequence[str], period: Period, zone: tzinfo) -> bool:
    """Whether nothing shorter or shifted is asked for."""
    ends = [end.astimezone(UTC) for end in period if end is not None]
    whole = all(end == bucket_start(end, "day", UTC) for end in ends)
    is_utc = zone is UTC or getattr(zone, "key", None) == "UTC"
    return whole and "hour" not in by and (is_utc or set(by) <= set(OF_MONITORED))


def key_of_monitored(by: Sequence[str], key: Key) -> Key:
    """Of a key by *by*, the key of what was monitored."""
    return tuple(
        part
        for dimension, part in zip(by, key, strict=True)
        if dimension in (*GRAINS, *OF_MONITORED)
    )
