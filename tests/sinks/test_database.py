"""Runs in SQLite and in PostgreSQL: once, whole, and the newest version of each thing."""

import traceback
from contextlib import closing
from datetime import UTC, date
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import ValidationError
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url

from pipeline.runs import CompleteRun
from pipeline.sinks.base import DeliveryError
from pipeline.sinks.database import schema
from pipeline.sinks.database.settings import DatabaseSettings
from pipeline.sinks.rows import TABLES, run_name
from tests.articles import hit, told
from tests.ledger.server import Server
from tests.sinks.made_runs import HOUR, NOW, about, dead_letter, delivery_of, evidence, make_run
from transforms.records import ToldArticle

PASSWORD = "ge/heim@ß"  # noqa: S105 # of nobody
WRITTEN = "ge%2Fheim%40%C3%9F"
ALL = (*TABLES, "stories")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'below' / 'news.sqlite'}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def settings(url: str, **changes: Any) -> DatabaseSettings:
    return DatabaseSettings.model_validate(
        {"kind": "database", "name": "news", "url": url} | changes
    )


def deliver(url: str, *runs: CompleteRun, **changes: Any) -> None:
    with closing(settings(url, **changes).open(Path("out"))) as sink:
        for run in runs:
            sink.deliver(delivery_of(run))


def ask(url: str, query: str) -> list[dict[str, Any]]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query)).mappings()]
    finally:
        engine.dispose()


def dump(url: str, prefix: str = "pw_") -> dict[str, list[str]]:
    """All that the tables hold."""
    return {
        name: sorted(str(row) for row in ask(url, f"SELECT * FROM {prefix}{name}"))  # noqa: S608
        for name in ALL
    }


def first_run(out: Path) -> CompleteRun:
    asylum = evidence("The asylum law\0 is new.", "asylum law", query="asylum_law")
    articles = [
        *told(
            about(1, hit("encryption", level="mention"), hit("migration", evidence=(asylum,))),
            about(2, source="Courier", language="fr", hours=0.5, tags=("presse", "été")),
        ),
        *told(about(3, hours=40)),
    ]
    return make_run(out, articles, plain=7, dead_letters=[dead_letter(0), dead_letter(9)])


def test_a_run_is_in_the_tables(url: str, out: Path) -> None:
    run = first_run(out)
    deliver(url, run)
    (told_by,) = ask(url, "SELECT * FROM pw_runs")
    assert (told_by["run"], told_by["items_read"]) == (run_name(run), 12)
    alerts = ask(
        url, "SELECT theme, level, backfill, title FROM pw_alerts ORDER BY theme, published_at"
    )
    assert [tuple(alert.values()) for alert in alerts] == [
        ("encryption", "mention", False, "Law 1"),
        ("migration", "focus", False, "Law 3"),
        ("migration", "focus", False, "Law 1"),
    ]
    pieces = ask(url, "SELECT * FROM pw_evidence WHERE query = 'asylum_law'")
    assert [(piece["number"], piece["sentence"]) for piece in pieces] == [
        (1, "The asylum law is new.")
    ]
    stories = ask(url, "SELECT * FROM pw_stories ORDER BY first_published_at DESC")
    assert [(one["articles"], one["sources"], one["title"]) for one in stories] == [
        (2, 2, "Law 1"),
        (1, 1, "Law 3"),
    ]
    assert stories[0]["lead_article_id"][-1] == "1"
    (named,) = ask(url, "SELECT count(*) AS n FROM pw_article_themes WHERE theme = 'migration'")
    assert named["n"] == 3
    (counted,) = ask(url, "SELECT sum(articles) AS n FROM pw_counts WHERE theme = 'encryption'")
    assert counted["n"] == 1
    (monitored,) = ask(url, "SELECT sum(articles) AS n FROM pw_monitored")
    assert monitored["n"] == 10
    letters = ask(url, "SELECT reason, byte_offset FROM pw_dead_letters ORDER BY number")
    assert [tuple(letter.values()) for letter in letters] == [
        ("malformed_json", 0),
        ("malformed_json", 9),
    ]


def test_times_and_lists_come_back_as_they_were(url: str, out: Path) -> None:
    deliver(url, first_run(out))
    tables = schema.tables(None, "pw_")
    engine = create_engine(url)
    with engine.connect() as connection:
        (article,) = connection.execute(
            tables.articles.select().where(tables.articles.c.source == "Courier")
        )
        days = set(
            connection.scalars(tables.counts.select().with_only_columns(tables.counts.c.day))
        )
    engine.dispose()
    published = article.published_at
    published = published if published.tzinfo else published.replace(tzinfo=UTC)
    assert published == NOW - 0.5 * HOUR
    assert article.tags == ["presse", "été"]
    assert days == {date(2026, 11, 24), date(2026, 11, 22)}


def test_a_delivery_that_is_repeated_changes_nothing(url: str, out: Path) -> None:
    run = first_run(out)
    deliver(url, run)
    before = dump(url)
    assert all(before.values())
    deliver(url, run, run)
    assert dump(url) == before


def edited(number: int, **changes: Any) -> list[ToldArticle]:
    """An article of its own story in another version."""
    return told(about(number, **({"text": "Now it says something else."} | changes)))


def test_the_newest_version_wins_whatever_the_order(url: str, out: Path) -> None:
    old = make_run(out, told(about(1, hit("encryption"), hit("migration"), title="Before")))
    new = make_run(out, told(about(1, hit("encryption"), title="After")), alerts=(), sequence=2)
    deliver(url, old, new)
    (article,) = ask(url, "SELECT title, run FROM pw_articles")
    assert article == {"title": "After", "run": run_name(new)}
    assert ask(url, "SELECT theme FROM pw_article_themes") == [{"theme": "encryption"}]
    assert ask(url, "SELECT title, articles FROM pw_stories") == [{"title": "After", "articles": 1}]
    state = dump(url)
    deliver(url, old)
    assert dump(url) == state
    deliver(url, old, prefix="other_")
    deliver(url, new, prefix="another_")
    deliver(url, old, prefix="another_")
    assert dump(url, "another_") == state


def test_an_article_that_lost_its_themes_stays_without_them(url: str, out: Path) -> None:
    old = make_run(out, told(about(1)))
    (lost,) = told(about(1))
    nothing = lost.article.model_copy(update={"hits": ()})
    new = make_run(out, [lost.model_copy(update={"article": nothing})], alerts=(), sequence=2)
    deliver(url, old, new)
    assert ask(url, "SELECT sequence FROM pw_articles") == [{"sequence": 2}]
    assert ask(url, "SELECT * FROM pw_article_themes") == []


def test_a_story_grows_by_a_later_run(url: str, out: Path) -> None:
    first = told(about(1))
    both = told(about(1), about(2, source="Courier", hours=2))
    assert first[0].story.story_id != both[0].story.story_id
    story = both[1].story.model_copy(update={"story_id": first[0].story.story_id})
    later = [both[1].model_copy(update={"story": story})]
    deliver(url, make_run(out, first), make_run(out, later, alerts=(), sequence=2))
    (told_now,) = ask(url, "SELECT articles, sources, lead_article_id FROM pw_stories")
    assert told_now == {"articles": 2, "sources": 2, "lead_article_id": both[1].article.article_id}


def test_an_article_that_moved_leaves_its_old_story(url: str, out: Path) -> None:
    first, moved = told(about(1)), told(about(1), about(2, hours=3))
    assert first[0].story.story_id != moved[0].story.story_id
    deliver(url, make_run(out, first), make_run(out, moved, sequence=2))
    assert ask(url, "SELECT story_id, articles FROM pw_stories") == [
        {"story_id": moved[0].story.story_id, "articles": 2}
    ]


def test_a_run_that_breaks_off_leaves_nothing(
    url: str, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(url, make_run(out, told(about(5))))
    before = dump(url)
    run = make_run(out, told(about(1)), dead_letters=[dead_letter(0)], sequence=2)
    (run.folder / "dead_letters.jsonl").write_bytes(b"{broken\n")
    with pytest.raises(ValidationError):  # read last
        deliver(url, run)
    assert dump(url) == before


def test_more_than_one_batch(url: str, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.sinks.database.sink._BATCH", 2)
    story = told(*(about(number, source=f"Paper {number}") for number in range(1, 6)))
    deliver(url, make_run(out, [*story, *told(about(9))], dead_letters=map(dead_letter, range(5))))
    assert ask(url, "SELECT articles, sources FROM pw_stories ORDER BY articles") == [
        {"articles": 1, "sources": 1},
        {"articles": 5, "sources": 5},
    ]
    assert len(dump(url)["dead_letters"]) == 5


def test_a_prefix_keeps_two_sinks_apart(url: str, out: Path) -> None:
    deliver(url, first_run(out), prefix="a_")
    deliver(url, make_run(out, sequence=2), prefix="")
    assert len(dump(url, "a_")["alerts"]) == 3
    assert not dump(url, "")["alerts"]


def test_a_schema_of_its_own(postgres_url: str, server_url: str, out: Path) -> None:
    name = make_url(postgres_url).query["options"].rpartition("=")[2]
    own = f"{name[:20]}_own"
    run = first_run(out)
    deliver(server_url, run, in_schema=own, prefix="")
    deliver(server_url, run, in_schema=own, prefix="")
    assert ask(server_url, f"SELECT count(*) AS n FROM {own}.alerts") == [{"n": 3}]  # noqa: S608
    assert ask(server_url, f"SELECT version_num FROM {own}.revision") == [  # noqa: S608
        {"version_num": "r0001"}
    ]
    engine = create_engine(server_url)
    with engine.begin() as connection:
        assert inspect(connection).get_table_names(schema="public") == []
        connection.execute(text(f"DROP SCHEMA {own} CASCADE"))
    engine.dispose()


def test_what_is_deleted_takes_along_what_belongs_to_it(url: str, out: Path) -> None:
    deliver(url, first_run(out))
    engine = create_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        connection.execute(text("DELETE FROM pw_alerts"))
        connection.execute(text("DELETE FROM pw_articles"))
        connection.commit()
    engine.dispose()
    left = dump(url)
    assert (left["evidence"], left["article_themes"]) == ([], [])


def test_migrations_make_the_tables_of_the_program(url: str) -> None:
    deliver(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        options = {"version_table": schema.revision_table("pw_")}
        context = MigrationContext.configure(connection, opts=options)
        assert not compare_metadata(context, schema.tables(None, "pw_").metadata)
    engine.dispose()


def test_migrations_make_the_tables_of_the_program_to_the_letter(sqlite_url: str) -> None:
    deliver(sqlite_url)
    made = create_engine("sqlite://")
    shown = "SELECT sql FROM sqlite_master WHERE name NOT LIKE '%revision%' ORDER BY name"
    with made.begin() as connection:
        schema.tables(None, "pw_").metadata.create_all(connection)
        expected = connection.scalars(text(shown)).all()
    made.dispose()
    assert [row["sql"] for row in ask(sqlite_url, shown)] == expected


def test_tables_of_a_newer_program_are_left_alone(url: str, out: Path) -> None:
    deliver(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE pw_revision SET version_num = 'r9999'"))
    engine.dispose()
    with pytest.raises(DeliveryError, match="has tables of a newer policywire"):
        deliver(url, first_run(out))
    assert not dump(url)["alerts"]


def test_tables_of_somebody_else_are_left_alone(url: str) -> None:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        Path(str(engine.url.database)).parent.mkdir()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE pw_articles (a integer)"))
    with pytest.raises(DeliveryError, match=r"cannot open .*pw_articles"):
        deliver(url)
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == ["pw_articles"]
    engine.dispose()


def test_there_is_one_head() -> None:
    scripts = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))
    assert [script.revision for script in scripts.walk_revisions()] == ["r0001"]


def test_a_server_that_stops_is_an_error_and_the_next_attempt_delivers(
    own_server: Server, out: Path
) -> None:
    run = first_run(out)
    with closing(settings(own_server.url, prefix="stops_").open(out)) as sink:
        own_server.stop()
        try:
            with pytest.raises(DeliveryError, match="cannot write to postgresql"):
                sink.deliver(delivery_of(run))
        finally:
            own_server.start()
        sink.deliver(delivery_of(run))
    assert len(dump(own_server.url, "stops_")["alerts"]) == 3


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://policywire:{WRITTEN}@127.0.0.1:1/news",
        f"postgresql://policywire:{WRITTEN}@127.0.0.1:port/news",
        f"postgresql+psycopg://policywire:{PASSWORD}@[::1:1/news",
    ],
)
def test_no_error_tells_a_password(url: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        deliver(url)
    said = "".join(traceback.format_exception(caught.value))
    assert not any(secret in said for secret in (PASSWORD, WRITTEN, "heim"))
    assert "heim" not in repr(settings(url).without_secrets())


@pytest.mark.parametrize(
    "url",
    ["mysql://host/news", "news.sqlite", "sqlite://", "postgresql://host/news?password=geheim"],
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(ValidationError, match="write sqlite:///PATH"):
        settings(url)


def test_a_url_from_the_environment(
    sqlite_url: str, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWS_DATABASE", sqlite_url)
    deliver("$NEWS_DATABASE", first_run(out))
    assert len(dump(sqlite_url)["alerts"]) == 3
    monkeypatch.setenv("NEWS_DATABASE", "mysql://host/news")
    with pytest.raises(DeliveryError, match="mysql is not supported"):
        deliver("$NEWS_DATABASE")


def test_sqlite_has_no_schemas(sqlite_url: str) -> None:
    with pytest.raises(ValidationError, match="SQLite has none"):
        settings(sqlite_url, in_schema="news")
