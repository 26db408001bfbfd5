"""Articles read without a pipeline, by the steps of a run: for commands that look at some."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pipeline.sources.readers import Limits, Span, read_span
from transforms.errors import RecordError
from transforms.logic.documents import FieldNames, parse_document
from transforms.logic.normalise import normalise
from transforms.records import Article, Entry, RawDocument


def read_articles(
    spans: Iterable[Span], limits: Limits, fields: FieldNames, seen_at: datetime
) -> Iterator[Article | RecordError]:
    """The articles of *spans* in their order, and what kept others from being one."""
    return articles_of(_documents(spans, limits, seen_at), fields)


def articles_of(
    documents: Iterable[RawDocument | RecordError], fields: FieldNames
) -> Iterator[Article | RecordError]:
    """The articles of *documents* in their order, and what kept others from being one."""
    for entry in _entries(documents, fields):
        try:
            yield entry if isinstance(entry, RecordError) else normalise(entry)
        except RecordError as error:
            yield error


def _entries(
    documents: Iterable[RawDocument | RecordError], fields: FieldNames
) -> Iterator[Entry | RecordError]:
    for document in documents:
        if isinstance(document, RecordError):
            yield document
            continue
        try:
            yield from parse_document(document, fields)
        except RecordError as error:
            yield error


def _documents(
    spans: Iterable[Span], limits: Limits, seen_at: datetime
) -> Iterator[RawDocument | RecordError]:
    for span in spans:
        try:
            for read in read_span(span, limits, seen_at):
                yield read if isinstance(read, RawDocument) else read[1]
        except RecordError as error:
            yield error
