"""Alerts and articles as actions of the bulk interface: each sets a document by its id.

An action carries the number of its run as the document's version, so that whatever the order
in which files are sent, and however often, the newest version stays.
"""

import gzip
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

import orjson

from pipeline.history import alerts_of, articles_of
from pipeline.runs import CompleteRun
from pipeline.sinks.base import Delivery
from pipeline.sinks.places import Place
from pipeline.sinks.rows import run_name
from pipeline.sinks.search.mapping import ALERTS, ANALYSERS, ARTICLES
from pipeline.sinks.search.settings import SearchSettings

_LINES: Final = orjson.OPT_APPEND_NEWLINE


class SearchSink:
    """Writes one file a run, more where it is large, and beside them the mapping of each index."""

    def __init__(self, settings: SearchSettings, place: Place) -> None:
        self._settings = settings
        self._place = place
        for index, mapping in (
            (settings.alerts_index, ALERTS),
            (settings.articles_index, ARTICLES),
        ):
            content = orjson.dumps(mapping, option=orjson.OPT_INDENT_2 | _LINES)
            place.write(f"{index}.mapping.json", content)

    def deliver(self, delivery: Delivery, /) -> None:
        run = delivery.run
        actions = chain(self._alerts(run), self._articles(run))
        for number, content in enumerate(_files(actions, self._settings.file_bytes), start=1):
            name = f"{run_name(run)}-{number:04}.ndjson"
            if self._settings.gzip:
                self._place.write(f"{name}.gz", gzip.compress(content, mtime=0))
            else:
                self._place.write(name, content)

    def close(self) -> None:
        """Nothing is held."""

    def _alerts(self, run: CompleteRun) -> Iterator[bytes]:
        for alert in alerts_of(run):
            document = alert.model_dump(mode="json")
            document["codes"] = [
                f"{vocabulary}:{code}"
                for vocabulary, mapped in alert.codes.items()
                for code in mapped.codes
            ]
            sentences = [evidence.sentence for evidence in alert.evidence]
            said = _by_language(alert.article.language, alert.article.title, sentences)
            index = self._settings.alerts_index
            yield _action(index, alert.alert_id, document | said, run)

    def _articles(self, run: CompleteRun) -> Iterator[bytes]:
        for article in articles_of(run):
            sentences = [hit.evidence.sentence for hit in article.themes]
            said = _by_language(article.language, article.title, sentences)
            document = article.model_dump(mode="json") | said
            yield _action(self._settings.articles_index, article.article_id, document, run)


def _by_language(language: str, title: str, sentences: Iterable[str]) -> dict[str, Any]:
    """Title and sentences where the analyser of their language finds them; nothing without one."""
    if language not in ANALYSERS:
        return {}
    told = {"title": title, "sentences": list(dict.fromkeys(sentences))}
    return {"by_language": {language: told}}


def _action(index: str, document_id: str, document: dict[str, Any], run: CompleteRun) -> bytes:
    manifest = run.manifest
    action = {
        "_index": index,
        "_id": document_id,
        "version": manifest.sequence,
        "version_type": "external_gte",
    }
    told_by = {"run_id": manifest.run_id, "as_of": f"{manifest.as_of:%Y-%m-%dT%H:%M:%SZ}"}
    lines = ({"index": action}, document | told_by)
    return b"".join(orjson.dumps(line, option=_LINES) for line in lines)


def _files(actions: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The actions in as few files as hold no more than *most* bytes, or one action each."""
    file = bytearray()
    for action in actions:
        if file and len(file) + len(action) > most:
            yield bytes(file)
            file.clear()
        file += action
    if file:
        yield bytes(file)
