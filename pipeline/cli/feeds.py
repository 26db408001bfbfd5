"""The commands about feeds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.base import FAILED, ConfigOption, JsonOption, OutOption, app, plain_errors
from pipeline.cli.printing import counted, print_json, print_table, short
from transforms.errors import ConfigError

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.config import LoadedConfig
    from pipeline.feeds.checking import Checked
    from pipeline.feeds.model import Feed
    from pipeline.feeds.state import FeedMemory

feeds_app = typer.Typer(help="Which feeds are read.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(feeds_app, name="feeds")

ToOption = Annotated[
    Path | None,
    typer.Option("--to", help="An OPML file; the first of the configuration where left out."),
]


@feeds_app.command("add")
def feeds_add(
    address: Annotated[str, typer.Argument(metavar="URL", help="Of a feed, or of a web page.")],
    config: ConfigOption = None,
    to: ToOption = None,
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    tags: Annotated[list[str] | None, typer.Option("--tag", help="A folder to put it in.")] = None,
) -> None:
    """Find the feed behind an address, and add it to an OPML file."""
    with plain_errors():
        from pydantic import ValidationError

        from pipeline.config import load_config
        from pipeline.console import printable
        from pipeline.feeds.checking import find_feed
        from pipeline.feeds.model import Feed

        loaded = load_config(config)
        target = to or _opml_of(loaded)
        found = find_feed(address, loaded.config)
        try:
            feed = Feed(url=found.url, name=name or found.title, tags=tuple(tags or ()))
        except ValidationError as error:
            raise ConfigError(*(str(one["msg"]) for one in error.errors())) from error
        added = _add(target, [feed])
    for other in found.others:
        typer.echo(printable(f"also there: {other}"))
    what = "added" if added else "was there already:"
    shown = f"{feed.name or feed.url}, {counted(found.entries, 'entry', 'entries')}"
    typer.echo(printable(f"{what} {feed.url} ({shown}) to {target}"))


@feeds_app.command("check")
def feeds_check(
    urls: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[URL|FILE]...", help="Feeds, or lists of them; else all that are set up."
        ),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try each feed, and show what is odd; exits with 1 where one cannot be read."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.console import printable
        from pipeline.feeds.checking import check_feeds

        loaded = load_config(config)
        checked = check_feeds(_chosen(loaded, urls), loaded.config)
    if as_json:
        print_json(
            [
                one.report.model_dump(mode="json")
                | {"newest": one.newest and one.newest.isoformat()}
                for one in checked
            ]
        )
    else:
        rows = [
            (
                one.report.url,
                one.report.status or "-",
                one.report.format or "-",
                one.report.entries,
                _minute(one.newest),
                one.report.identity or "-",
            )
            for one in checked
        ]
        print_table(("feed", "status", "format", "entries", "newest", "told apart by"), rows)
        for one in checked:
            for odd in _odd(one):
                typer.echo(printable(f"{one.report.url}: {odd}"))
    if any(one.report.outcome == "failed" for one in checked):
        raise typer.Exit(FAILED)


@feeds_app.command("list")
def feeds_list(
    config: ConfigOption = None, out: OutOption = None, as_json: JsonOption = False
) -> None:
    """Show the feeds that are set up, and how they are doing."""
    with plain_errors():
        from datetime import UTC, datetime

        from pipeline.config import load_config
        from pipeline.console import printable
        from pipeline.feeds.rounds import feeds_of
        from pipeline.feeds.state import memories_of, silent_since
        from pipeline.ledger import Ledger, LedgerError

        loaded = load_config(config)
        listed = feeds_of(loaded)
        memories: dict[str, FeedMemory] = {}
        url = loaded.config.ledger.url_below(out or Path(loaded.config.out))
        try:
            with Ledger.open(url) as ledger:
                memories = memories_of(ledger, listed.feeds)
        except LedgerError as error:
            typer.echo(f"policywire: {error}", err=True)
        now = datetime.now(UTC)
    for problem in listed.problems:
        typer.echo(printable(f"policywire: {problem}"), err=True)
    rows = []
    for feed in listed.feeds:
        memory = memories.get(feed.url)
        silent = silent_since(memory, now) if memory else None
        rows.append((feed, memory, _state(memory, silent)))
    if as_json:
        print_json(
            [
                feed.without_secrets().model_dump(mode="json")
                | {"state": state, "memory": _shown(memory)}
                for feed, memory, state in rows
            ]
        )
        return
    print_table(
        ("feed", "name", "tags", "state", "entries", "due"),
        [
            (
                feed.url,
                short(feed.name or (memory.name if memory else None) or ""),
                " ".join(feed.tags),
                state,
                memory.entries if memory else "-",
                _minute(memory.next_at if memory else None),
            )
            for feed, memory, state in rows
        ],
    )


@feeds_app.command("import")
def feeds_import(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="OPML, or an URL a line.")],
    config: ConfigOption = None,
    to: ToOption = None,
) -> None:
    """Add the feeds of a list to an OPML file."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.console import printable
        from pipeline.feeds.listing import load_named_feeds

        target = to or _opml_of(load_config(config))
        listed = load_named_feeds([str(source)])
        added = _add(target, listed.feeds)
    for problem in listed.problems:
        typer.echo(printable(f"policywire: left out: {problem}"), err=True)
    known = len(listed.feeds) - len(added)
    typer.echo(f"added {counted(len(added), 'feed')} to {target}; {known:,} were there already")


@feeds_app.command("export")
def feeds_export(config: ConfigOption = None) -> None:
    """Print all feeds that are set up, as OPML; without their credentials."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.feeds.opml import write_opml
        from pipeline.feeds.rounds import feeds_of

        content = write_opml(feeds_of(load_config(config)).feeds)
    typer.echo(content.decode(), nl=False)


def _opml_of(loaded: "LoadedConfig") -> Path:
    from pipeline.feeds.model import OpmlChoice

    for choice in loaded.config.inputs.feeds:
        if isinstance(choice, OpmlChoice) and not choice.is_remote:
            return loaded.path.parent / choice.opml
    raise ConfigError(
        f"{loaded.path}: inputs.feeds names no OPML file; say --to FILE, and name it there"
    )


def _add(target: Path, feeds: "tuple[Feed, ...] | list[Feed]") -> "tuple[Feed, ...]":
    from pipeline.feeds.opml import add_feeds

    try:
        return add_feeds(target, feeds)
    except OSError as error:
        raise ConfigError(f"{target}: {error.strerror}") from error


def _chosen(loaded: "LoadedConfig", urls: list[str] | None) -> "tuple[Feed, ...]":
    """The feeds of the configuration, or those named, with the settings they have there."""
    from pipeline.feeds.listing import load_named_feeds
    from pipeline.feeds.rounds import feeds_of

    configured = feeds_of(loaded).feeds
    if not urls:
        if not configured:
            raise ConfigError(f"{loaded.path}: inputs.feeds names no feeds; name an URL")
        return configured
    by_url = {feed.url: feed for feed in configured}
    return tuple(by_url.get(feed.url, feed) for feed in load_named_feeds(urls).feeds)


def _odd(checked: "Checked") -> list[str]:
    report = checked.report
    found = []
    if report.problem:
        found.append(f"{report.problem.reason.value}: {report.problem.detail}")
    if report.moved_to:
        found.append(f"has moved to {report.moved_to}")
    if report.silent_since:
        found.append(f"nothing new since {_minute(report.silent_since)}, against its habit")
    found += [_oddity(odd.code, odd.entries) for odd in report.oddities]
    return found


def _oddity(code: str, entries: int) -> str:
    plain = code.replace("_", " ")
    return f"{plain}: {counted(entries, 'entry', 'entries')}" if entries else plain


def _state(memory: "FeedMemory | None", silent: "datetime | None") -> str:
    if memory is None:
        return "never asked"
    if memory.gone:
        return "gone"
    if memory.failures:
        reason = memory.problem.reason.value if memory.problem else ""
        return f"failing {memory.failures}: {reason}"
    return f"silent since {_minute(silent)}" if silent else "well"


def _shown(memory: "FeedMemory | None") -> dict[str, Any] | None:
    return memory.model_dump(mode="json", exclude={"marks", "times"}) if memory else None


def _minute(moment: "datetime | None") -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"
