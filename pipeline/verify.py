"""Checking a run's alerts against its inputs, read again."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import ValidationError

from pipeline.config import PipelineConfig
from pipeline.feeds.model import is_url
from pipeline.feeds.spool import read_spooled, spooled_files
from pipeline.manifest import MANIFEST, Manifest, output_file
from pipeline.sources.files import SPOOL, STDIN
from pipeline.sources.readers import Limits, Span, read_span
from transforms.errors import ConfigError, RecordError
from transforms.logic.documents import FieldNames, parse_document
from transforms.logic.feeds import read_feed
from transforms.logic.identity import text_hash
from transforms.logic.normalise import normalise
from transforms.records import Alert, Article, Entry, Origin, RawDocument


class Verified(NamedTuple):
    """What was checked, and one line for each thing that did not hold."""

    alerts: int
    spans: int
    problems: tuple[str, ...]


def verify(run_dir: Path) -> Verified:
    """Read the inputs of a run again and check its files and all evidence of its alerts.

    Checked are the digests of the run's files; that each alert's article is still
    where its origin says and has the same text hash; and that each evidence span
    holds its words, inside its sentence.

    Raises:
        ConfigError: *run_dir* is no complete run.
    """
    try:
        manifest = Manifest.model_validate_json((run_dir / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise ConfigError(f"{run_dir}: no complete run: {error}") from error
    problems = [
        f"{name}: differs from what the run wrote"
        for name, expected in manifest.files.items()
        if not (run_dir / name).is_file() or output_file(run_dir / name) != expected
    ]
    alerts: list[Alert] = []
    for name in manifest.files:
        if name.startswith("alerts/") and (run_dir / name).is_file():
            for number, line in enumerate((run_dir / name).read_bytes().splitlines(), start=1):
                try:
                    alerts.append(Alert.model_validate_json(line))
                except ValidationError as error:
                    problems.append(f"{name}:{number}: no alert: {error.errors()[0]['msg']}")
    by_path: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        by_path[alert.article.origin.path].append(alert)
    spans = 0
    fetched = _fetched_again(alerts, run_dir)
    for path, of_path in sorted(by_path.items()):
        articles = fetched if is_url(path) else _read_again(path, of_path, run_dir, manifest)
        for alert in of_path:
            spans += len(alert.evidence)
            article = articles.get(alert.article.origin)
            problems += [f"alert {alert.alert_id}: {why}" for why in _check(alert, article)]
    return Verified(len(alerts), spans, tuple(problems))


def _check(alert: Alert, article: Article | None) -> list[str]:
    if article is None:
        return [f"its article is no longer at {alert.article.origin.path}"]
    if text_hash(article.title, article.text) != alert.article.text_hash:
        return ["the text of its article has changed"]
    problems = []
    for evidence in alert.evidence:
        text = article.title if evidence.field == "title" else article.text
        if text[evidence.start : evidence.end] != evidence.words:
            problems.append(f"{evidence.words!r} is not at {evidence.start} of {evidence.field}")
        if evidence.words not in evidence.sentence or evidence.sentence not in text:
            problems.append(f"{evidence.sentence!r} is no sentence of {evidence.field}")
    return problems


def _read_again(
    name: str, alerts: list[Alert], run_dir: Path, manifest: Manifest
) -> dict[Origin, Article]:
    """What now stands where the articles of *alerts* stood: only that is parsed."""
    config = PipelineConfig.model_validate(manifest.config)
    limits = Limits(config.limits.record_bytes, config.limits.file_bytes)
    fields = FieldNames.with_overrides(config.inputs.fields)
    span = (
        Span(path=str(run_dir / SPOOL), name=name, size=0, kind="jsonl")
        if name == STDIN
        else Span(path=name, name=name, size=0)
    )
    wanted = _Wanted.of(alerts)
    articles: dict[Origin, Article] = {}
    try:
        for read in read_span(span, limits, manifest.as_of):
            articles |= _articles(read, wanted, fields)
    except RecordError:
        pass  # what was read before still counts; the rest is reported as missing
    return articles


def _fetched_again(alerts: list[Alert], run_dir: Path) -> dict[Origin, Article]:
    """The articles of *alerts* that came from feeds: the run keeps what it fetched."""
    wanted = _Wanted.of(alert for alert in alerts if is_url(alert.article.origin.path))
    articles: dict[Origin, Article] = {}
    for path in spooled_files(run_dir) if wanted.origins else ():
        for read in read_spooled(path):
            articles |= _articles(read, wanted, FieldNames())
    return articles


class _Wanted(NamedTuple):
    """The places of articles, and of the documents that they stand in."""

    origins: frozenset[Origin]
    documents: frozenset[Origin]

    @classmethod
    def of(cls, alerts: Iterable[Alert]) -> Self:
        origins = frozenset(alert.article.origin for alert in alerts)
        return cls(origins, frozenset(one.model_copy(update={"entry": None}) for one in origins))


def _articles(read: object, wanted: _Wanted, fields: FieldNames) -> dict[Origin, Article]:
    """The articles that are *wanted*, if they stand in the document *read*."""
    if not isinstance(read, RawDocument) or read.origin not in wanted.documents:
        return {}
    found = (entry for entry in _entries(read, fields) if entry.origin in wanted.origins)
    return {entry.origin: normalise(entry) for entry in found}


def _entries(document: RawDocument, fields: FieldNames) -> list[Entry]:
    if document.feed is not None:
        return list(read_feed(document)[0])
    entries = []
    try:
        for entry in parse_document(document, fields):
            entries.append(entry)  # what came before an error is kept
    except RecordError:
        pass
    return entries
