"""The command for analysts: stats."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from pipeline.cli.base import ConfigOption, JsonOption, app, plain_errors
from pipeline.cli.printing import counted, print_json, print_table, short
from transforms.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.stats.counting import Question
    from pipeline.stats.facts import Dimension, Period, Told
    from pipeline.stats.listing import Listing


class Top(StrEnum):
    """What there may be most of."""

    TERMS = "terms"
    SOURCES = "sources"
    STORIES = "stories"


class LevelChoice(StrEnum):
    """How much an article says of a theme."""

    FOCUS = "focus"
    MENTION = "mention"


Names = list[str] | None


@app.command()
def stats(
    out: Annotated[
        Path | None, typer.Argument(help="Output folder instead of the configuration's.")
    ] = None,
    config: ConfigOption = None,
    by: Annotated[
        Names,
        typer.Option(
            metavar="NAMES",
            help="What to count by: hour, day or week; theme, source, language, level, tag, "
            "country; several with commas.",
        ),
    ] = None,
    since: Annotated[str | None, typer.Option(help="Published from then on, ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option(help="Published before then, ISO 8601.")] = None,
    last: Annotated[
        str | None, typer.Option(help="The last days, today included: 7d; or hours: 12h.")
    ] = None,
    zone: Annotated[str, typer.Option(help="Time zone, as Europe/Brussels.")] = "UTC",
    themes: Annotated[Names, typer.Option("--theme", help="Only these.")] = None,
    sources: Annotated[Names, typer.Option("--source", help="Only these.")] = None,
    languages: Annotated[Names, typer.Option("--language", help="Only these.")] = None,
    levels: Annotated[
        list[LevelChoice] | None, typer.Option("--level", help="Only articles at this level.")
    ] = None,
    tags: Annotated[Names, typer.Option("--tag", help="Only feeds with one of these.")] = None,
    countries: Annotated[
        Names, typer.Option("--country", help="Only links below these domains, as uk.")
    ] = None,
    change: Annotated[bool, typer.Option("--change", help="Compare with the time before.")] = False,
    bursts: Annotated[
        bool, typer.Option("--bursts", help="Show when more was told than is usual.")
    ] = False,
    pairs: Annotated[bool, typer.Option("--pairs", help="Show which themes go together.")] = False,
    top: Annotated[Top | None, typer.Option(help="Show what there is most of.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Rows to show; 20 with --top.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: JsonOption = False,
    chart: Annotated[bool, typer.Option("--chart", help="Draw bars.")] = False,
    database: Annotated[
        str | None,
        typer.Option(metavar="SINK|URL", help="Read a database that sinks fill, not the runs."),
    ] = None,
) -> None:
    """Count what the kept runs told."""
    with plain_errors():
        _one_of_each(
            {"--bursts": bursts, "--pairs": pairs, "--top": top is not None},
            {"--csv": as_csv, "--json": as_json, "--chart": chart},
            {"--change": change, "--bursts or --pairs": bursts or pairs, "--top": top is not None},
            {"an output folder": out is not None, "--database": database is not None},
            {"--last": last is not None, "--since or --until": since or until},
        )
        from pipeline.stats.counting import Question
        from pipeline.stats.facts import Selection

        with _told(config, out, database) as (told, now):
            place = _zone(zone)
            question = Question(
                _dimensions(by or []),
                _period(since, until, last, now, place),
                Selection(
                    themes=tuple(themes or ()),
                    sources=tuple(sources or ()),
                    languages=tuple(languages or ()),
                    levels=tuple(level.value for level in levels or ()),
                    tags=tuple(tags or ()),
                    countries=tuple(countries or ()),
                ),
                place,
            )
            if bursts:
                listing = _bursts(told, question)
            elif pairs:
                listing = _pairs(told, question)
            elif top is not None:
                listing = _top(told, question, top)
            else:
                listing = _counts(told, question, change=change)
    if top is not None or limit is not None:
        listing = listing._replace(rows=listing.rows[: limit or _TOP])
    if as_json:
        print_json(listing.as_json())
    elif as_csv:
        typer.echo(listing.as_csv(), nl=False)
    elif chart:
        _draw(listing)
    else:
        rows = [tuple(map(short, row)) for row in listing.as_text()]
        print_table(listing.columns, rows)


_TOP = 20  # rows


def _one_of_each(*groups: dict[str, object]) -> None:
    """Refuse what cannot be had together."""
    for group in groups:
        given = [name for name, value in group.items() if value]
        if len(given) > 1:
            raise ConfigError(f"{given[0]} and {given[1]} do not go together")


@contextmanager
def _told(
    config: Path | None, out: Path | None, database: str | None
) -> Iterator[tuple["Told", datetime]]:
    """Where the figures come from, and the place in time of the newest run there."""
    from pipeline.config import load_config

    loaded = load_config(config).config
    if database is not None:
        from pipeline.stats.database import ToldInDatabase, database_settings

        with closing(ToldInDatabase(database_settings(database, loaded))) as stored:
            yield stored, stored.newest()
        return
    from pipeline.history import History
    from pipeline.runs import find_run

    folder = out or Path(loaded.out)
    newest = find_run(folder, "latest")
    yield History(folder), newest.manifest.as_of


def _zone(name: str) -> tzinfo:
    from pipeline.zones import zone_of

    try:
        return zone_of(name)
    except ValueError as error:
        raise ConfigError(f"--zone {error}") from error


def _dimensions(given: Sequence[str]) -> tuple["Dimension", ...]:
    from pipeline.stats.facts import GRAINS, Dimension

    known: tuple[Dimension, ...] = get_args(Dimension)
    by = list(dict.fromkeys(name.strip() for names in given for name in names.split(",")))
    if unknown := [name for name in by if name not in known]:
        raise ConfigError(f"--by {unknown[0]!r}: known: {', '.join(known)}")
    found = tuple(name for name in by if name in known)
    if len([name for name in found if name in GRAINS]) > 1:
        raise ConfigError("--by: only one of hour, day and week")
    return found


def _period(
    since: str | None, until: str | None, last: str | None, now: datetime, zone: tzinfo
) -> "Period":
    from pipeline.quantities import read_span
    from pipeline.stats.buckets import bucket_end, bucket_start
    from pipeline.stats.facts import Period

    if last is None:
        begin = None if since is None else _moment("--since", since, zone)
        end = None if until is None else _moment("--until", until, zone)
        if begin and end and begin >= end:
            raise ConfigError("--since is not before --until")
        return Period(begin, end)
    try:
        span = read_span(last)
    except ValueError as error:
        raise ConfigError(f"--last {error}") from error
    if not isinstance(span, timedelta) or span < timedelta(hours=1):
        raise ConfigError(f"--last {last!r}: an hour or more is wanted")
    grain: Literal["hour", "day"] = "hour" if span % timedelta(days=1) else "day"
    end = bucket_end(bucket_start(now, grain, zone), grain)
    return Period(end - span, end)


def _moment(option: str, raw: str, zone: tzinfo) -> datetime:
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        raise ConfigError(f"{option} {raw!r}: no ISO 8601 time, like 2026-11-24") from None
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment


def _counts(told: "Told", question: "Question", *, change: bool) -> "Listing":
    from pipeline.stats.counting import count, count_with_change
    from pipeline.stats.listing import list_counts

    if not change:
        return list_counts(count(told, question), question, change=False)
    if question.grain is None:
        _needs_period(question, "--change")
    return list_counts(count_with_change(told, question), question, change=True)


def _needs_period(question: "Question", option: str) -> None:
    if question.period.since is None or question.period.until is None:
        raise ConfigError(f"{option} needs --last, or --since and --until")


def _pairs(told: "Told", question: "Question") -> "Listing":
    from pipeline.stats.listing import list_pairs
    from pipeline.stats.pairs import pairs

    _only(question, "--pairs", ())
    return list_pairs(pairs(told, question))


def _bursts(told: "Told", question: "Question") -> "Listing":
    from pipeline.stats.burst_rules import BurstGrain, GroupedBy
    from pipeline.stats.bursts import Manner, judge
    from pipeline.stats.listing import list_bursts

    grains: tuple[BurstGrain, ...] = get_args(BurstGrain)
    groups: tuple[GroupedBy, ...] = get_args(GroupedBy)
    _only(question, "--bursts", ("theme", *grains, *groups))
    chosen = [name for name in groups if name in question.by]
    if len(chosen) > 1:
        raise ConfigError(f"--bursts --by: only one of {', '.join(groups)}")
    manner = Manner(
        by=chosen[0] if chosen else None,
        grain="hour" if "hour" in question.by else "day",
        zone=question.zone,
    )
    judged = judge(told, question.period, question.selection, manner)
    if unknown := sum(one.judged.basis is None for one in judged):
        what = counted(unknown, manner.grain)
        typer.echo(f"policywire: too little is known to judge {what}", err=True)
    return list_bursts([one for one in judged if one.judged.burst], manner)


def _top(told: "Told", question: "Question", top: Top) -> "Listing":
    from pipeline.stats.listing import list_stories, list_terms
    from pipeline.stats.top import top_stories, top_terms

    _only(question, "--top", ())
    match top:
        case Top.SOURCES:
            return _counts(told, question._replace(by=("source",)), change=False)
        case Top.STORIES:
            return list_stories(top_stories(told, question))
        case Top.TERMS:
            if question.period.since is None:
                raise ConfigError("--top terms needs --last or --since: since when they rose")
            return list_terms(top_terms(told, question))


def _only(question: "Question", option: str, names: Sequence[str]) -> None:
    if other := [name for name in question.by if name not in names]:
        raise ConfigError(f"{option} and --by {other[0]} do not go together")


def _draw(listing: "Listing") -> None:
    """A bar for each row."""
    from rich.bar import Bar
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    bars = listing.bars()
    longest = max((number for _, number in bars), default=0)
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    table.add_column(ratio=1)
    for name, number in bars:
        bar = Bar(size=max(1, longest), begin=0, end=number)
        table.add_row(Text(short(name)), f"{number:,}", bar)
    Console().print(table)
