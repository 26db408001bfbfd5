"""Each stage on its own, in a pipeline."""

from datetime import UTC, datetime, timedelta

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.test_pipeline import TestPipeline as Pipeline
from apache_beam.testing.util import assert_that, equal_to

from tests.articles import classified, hit, told
from transforms import coders  # noqa: F401 # registers how records are encoded
from transforms.aggregate import CountPairs, CountQueries, CountThemes
from transforms.alert import RaiseAlerts
from transforms.classify import DropDuplicates
from transforms.logic.documents import FieldNames
from transforms.logic.stories import ThemeFacts
from transforms.normalise import NormaliseEntries
from transforms.parse import ParseDocuments
from transforms.records import (
    ClassifiedArticle,
    Entry,
    Origin,
    QueryTotal,
    RawDocument,
    ThemePair,
    ToldArticle,
)
from transforms.stories import GroupStories

A, B, C, D = (f"1{letter * 32}" for letter in "abcd")


def pipeline() -> Pipeline:
    return Pipeline(runner=FnApiRunner(), options=PipelineOptions([]))


def created(p: beam.Pipeline, *records: object) -> beam.PCollection:
    return p | beam.Create(records).with_output_types(type(records[0]))


def document(payload: bytes) -> RawDocument:
    return RawDocument(
        origin=Origin(path="x.jsonl", offset=0),
        format="json",
        payload=payload,
        seen_at=datetime(2026, 11, 24, tzinfo=UTC),
    )


def test_parsing_sets_a_broken_record_aside_and_counts_the_good_one() -> None:
    with pipeline() as p:
        parsed = created(p, document(b'{"title":"A"}'), document(b"{")) | ParseDocuments(
            FieldNames()
        )
        assert_that(parsed.good | beam.Map(lambda e: e.title), equal_to(["A"]))
        reasons = parsed.dead | beam.Map(lambda d: (d.stage, d.reason.value))
        assert_that(reasons, equal_to([("parse", "malformed_json")]), label="Dead")
        assert_that(parsed.tally, equal_to([("entries", 1)]), label="Tally")


def test_an_entry_without_title_and_text_is_a_dead_letter() -> None:
    entries = [
        Entry(origin=Origin(path="x"), seen_at=datetime(2026, 11, 24, tzinfo=UTC), title=title)
        for title in ("A title", "")
    ]
    with pipeline() as p:
        normalised = created(p, *entries) | NormaliseEntries()
        assert_that(normalised.good | beam.Map(lambda a: a.title), equal_to(["A title"]))
        reasons = normalised.dead | beam.Map(lambda d: (d.stage, d.reason.value))
        assert_that(reasons, equal_to([("normalise", "no_article")]), label="Dead")


def test_the_newest_version_of_an_article_stays() -> None:
    newer = classified(A, updated_at=datetime(2026, 11, 24, tzinfo=UTC), title="Newer")
    with pipeline() as p:
        distinct = created(p, newer, classified(A), classified(B, hits=())) | DropDuplicates()
        assert_that(distinct.good | beam.Map(lambda a: a.title), equal_to(["Newer"]))
        totals = distinct.tally | beam.CombinePerKey(sum)
        assert_that(totals, equal_to([("classified", 2), ("duplicates", 1)]), label="Tally")


def test_copies_of_copies_are_one_story() -> None:
    articles = [
        classified(A, copy_key="one"),
        classified(B, copy_key="one", guid="urn:x:1"),
        classified(C, guid="urn:x:1"),
        classified(D),
    ]
    with pipeline() as p:
        grouped = created(p, *articles) | GroupStories()
        ids = grouped | beam.Map(
            lambda t: (t.article.article_id, [one.article_id for one in t.story.articles])
        )
        together = [A, B, C]
        assert_that(ids, equal_to([(A, together), (B, together), (C, together), (D, [D])]))


def test_a_story_raises_an_alert_for_each_theme() -> None:
    (one,) = told(classified(hits=(hit("encryption", level="mention"), hit("migration"))))
    themes = {name: ThemeFacts("v", {}) for name in ("encryption", "migration")}
    with pipeline() as p:
        alerts = created(p, one) | RaiseAlerts(themes, timedelta(days=7))
        raised = alerts | beam.Map(lambda a: (a.theme, a.level))
        assert_that(raised, equal_to([("encryption", "mention"), ("migration", "focus")]))


def test_counts_pairs_and_queries() -> None:
    both = told(classified("a", hits=(hit("encryption"), hit("migration"))), classified("b"))
    with pipeline() as p:
        stories = created(p, *both)
        counts = stories | CountThemes()
        daily = (
            counts
            | beam.Filter(lambda c: c.bucket_end - c.bucket_start == timedelta(days=1))
            | beam.Filter(lambda c: c.source is None and c.language is None)
            | beam.Map(lambda c: (c.theme, c.articles, c.stories, c.publishers))
        )
        assert_that(daily, equal_to([("encryption", 1, 1, 1), ("migration", 2, 1, 1)]))
        pair = ThemePair(theme_a="encryption", theme_b="migration", articles=1, stories=1)
        assert_that(stories | CountPairs(), equal_to([pair]), label="Pairs")
        totals = [
            QueryTotal(theme="encryption", query="asylum", articles=1, stories=1, matches=2),
            QueryTotal(theme="migration", query="asylum", articles=2, stories=1, matches=4),
        ]
        assert_that(stories | CountQueries(), equal_to(totals), label="Queries")


def test_beam_refuses_stages_in_a_wrong_order() -> None:
    with pytest.raises(beam.typehints.TypeCheckError):
        _ = created(pipeline(), *told(classified())) | DropDuplicates()


@pytest.mark.parametrize("record", [classified(), *told(classified())])
def test_records_survive_their_coder(record: ClassifiedArticle | ToldArticle) -> None:
    coder = beam.coders.registry.get_coder(type(record))
    assert coder.is_deterministic()
    assert coder.decode(coder.encode(record)) == record
