"""Files for the bulk interface: the form of their lines, ids that stay, and the mappings."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.history import alerts_of
from pipeline.runs import CompleteRun
from pipeline.sinks.search.mapping import ANALYSERS
from pipeline.sinks.search.settings import SearchSettings
from tests.articles import hit, told
from tests.sinks.made_runs import about, delivery_of, evidence, make_run

TYPES = {"keyword", "text", "date", "long", "boolean", "double", "nested"}  # that both know


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def run(out: Path) -> CompleteRun:
    zwei = evidence("Das Asylgesetz ist neu.", "Asylgesetz")
    articles = [
        *told(about(1, hit("encryption"), hit("migration"), tags=("press",))),
        *told(about(2, hit("migration", evidence=(zwei,)), language="de", title="Neu")),
        *told(about(3, language="und")),
    ]
    return make_run(out, articles)


def deliver(out: Path, run: CompleteRun, **changes: Any) -> dict[str, bytes]:
    sink = SearchSettings.model_validate({"kind": "search", "name": "search"} | changes).open(out)
    sink.deliver(delivery_of(run))
    sink.close()
    return {path.name: path.read_bytes() for path in sorted((out / "search").iterdir())}


def actions(files: dict[str, bytes]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each action with its document, as the bulk interface reads them: two lines each."""
    found = []
    for name, content in files.items():
        if ".ndjson" in name:
            content = gzip.decompress(content) if name.endswith(".gz") else content
            assert content.endswith(b"\n")
            lines = [json.loads(line) for line in content.splitlines()]
            found += [(one["index"], two) for one, two in zip(lines[::2], lines[1::2], strict=True)]
            assert all(list(line) == ["index"] for line in lines[::2])
    return found


def test_alerts_and_articles_are_documents_by_their_ids(out: Path, run: CompleteRun) -> None:
    found = actions(deliver(out, run))
    alerts = list(alerts_of(run))
    assert [(action["_index"], action["_id"]) for action, _ in found] == [
        *(("policywire-alerts", alert.alert_id) for alert in alerts),
        *(("policywire-articles", f"1{number:032x}") for number in (1, 2, 3)),
    ]
    document = found[0][1]
    assert document.items() >= json.loads(alerts[0].model_dump_json(exclude={"codes"})).items()
    assert document["codes"] == ["iptc:20000001"]
    assert document["run_id"] == run.manifest.run_id
    article = found[-3][1]
    assert [theme["theme"] for theme in article["themes"]] == ["encryption", "migration"]
    assert article["tags"] == ["press"]


def test_a_text_is_where_the_analyser_of_its_language_finds_it(out: Path, run: CompleteRun) -> None:
    found = {
        document["article_id"][-1]: document.get("by_language")
        for action, document in actions(deliver(out, run))
        if action["_index"] == "policywire-articles"
    }
    assert found == {
        "1": {"en": {"title": "Law 1", "sentences": ["The asylum law."]}},
        "2": {"de": {"title": "Neu", "sentences": ["Das Asylgesetz ist neu."]}},
        "3": None,
    }


def test_the_newest_run_has_the_last_word(out: Path, run: CompleteRun) -> None:
    later = make_run(out, told(about(1, title="Now")), alerts=(), sequence=2)
    deliver(out, run)
    found = [
        (action, document)
        for action, document in actions(deliver(out, later))
        if action["_id"].endswith("1") and action["_index"] == "policywire-articles"
    ]
    assert [(action["version"], document["title"]) for action, document in found] == [
        (1, "Law 1"),
        (2, "Now"),
    ]
    assert {action["version_type"] for action, _ in found} == {"external_gte"}


def test_a_second_delivery_replaces_the_first(out: Path, run: CompleteRun) -> None:
    for choice in ({}, {"gzip": True}):
        first = deliver(out, run, **choice)
        assert deliver(out, run, **choice) == first


def test_compressed(out: Path, run: CompleteRun) -> None:
    plain = deliver(out, run)
    files = deliver(out, run, gzip=True, folder=str(out / "search"))
    (packed,) = (content for name, content in files.items() if name.endswith(".ndjson.gz"))
    assert gzip.decompress(packed) == next(iter(plain.values()))


def test_a_large_run_is_in_several_files(out: Path, run: CompleteRun) -> None:
    whole = actions(deliver(out, run))
    for path in (out / "search").glob("*.ndjson"):
        path.unlink()
    files = deliver(out, run, file_bytes=3_000)
    sizes = [len(content) for name, content in files.items() if name.endswith(".ndjson")]
    assert len(sizes) > 2
    assert max(sizes) <= 3_000
    assert actions(files) == whole
    tiny = deliver(out, run, file_bytes=1, folder=None, name="search")
    assert sum(name.endswith(".ndjson") for name in tiny) == len(whole)


def test_a_run_that_found_nothing_has_no_file(out: Path) -> None:
    assert sorted(deliver(out, make_run(out))) == [
        "policywire-alerts.mapping.json",
        "policywire-articles.mapping.json",
    ]


def fields(mapping: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All fields by their paths, those of objects too."""
    for name, field in mapping["properties"].items():
        yield f"{prefix}{name}", field
        if "properties" in field:
            yield from fields(field, f"{prefix}{name}.")


def paths(document: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """All values by their paths; those of a list have one."""
    for name, value in document.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield from paths(one, f"{prefix}{name}.")
            elif one is not None:
                yield f"{prefix}{name}", one


PYTHON = {
    "keyword": str,
    "text": str,
    "date": str,
    "long": int,
    "boolean": bool,
    "double": float,
}


@pytest.mark.parametrize("index", ["alerts", "articles"])
def test_each_field_has_its_type(out: Path, run: CompleteRun, index: str) -> None:
    files = deliver(out, run, **{f"{index}_index": "news"})
    mapping = json.loads(files["news.mapping.json"])["mappings"]
    assert mapping["dynamic"] is False
    known = dict(fields(mapping))
    types = {name: field["type"] for name, field in known.items() if "type" in field}
    assert set(types.values()) <= TYPES
    documents = [document for action, document in actions(files) if action["_index"] == "news"]
    found = [pair for document in documents for pair in paths(document)]
    assert found
    for path, value in found:
        assert isinstance(value, PYTHON[types[path]]), path
    # And none is for nothing, but where the documents at hand have no value, or no language.
    empty = {"refers_to", "change", "cause", "updated_at", "article.full_text"}
    empty |= {"article.origin.record", "article.origin.entry", "article.authors"}
    unused = {name for name in types if not name.startswith("by_language.")} - dict(found).keys()
    assert unused - empty <= {"evidence", "themes"}  # nested ones have no value of their own


def test_all_languages_have_an_analyser(out: Path, run: CompleteRun) -> None:
    files = deliver(out, run)
    mapping = json.loads(files["policywire-articles.mapping.json"])["mappings"]
    known = dict(fields(mapping))
    for language, analyser in ANALYSERS.items():
        for field in ("title", "sentences"):
            assert known[f"by_language.{language}.{field}"]["analyzer"] == analyser


@pytest.mark.parametrize("name", ["News", "_news", "news,papers", "news*", "", "-x"])
def test_indexes_that_cannot_be(name: str) -> None:
    with pytest.raises(ValidationError, match="alerts_index"):
        SearchSettings.model_validate({"kind": "search", "name": "s", "alerts_index": name})


def test_one_index_for_both_would_mix_them_up() -> None:
    with pytest.raises(ValidationError, match="need an index each"):
        SearchSettings.model_validate(
            {"kind": "search", "name": "s", "alerts_index": "news", "articles_index": "news"}
        )
