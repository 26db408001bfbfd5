"""Each stage on its own, in a pipeline."""

from datetime import UTC, datetime, timedelta
from functools import partial

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.test_pipeline import TestPipeline as Pipeline
from apache_beam.testing.util import assert_that, equal_to

from tests.articles import SEEN_AT, A, B, C, D, classified, hit, told
from tests.memory_ledger import MemoryLedger
from transforms import coders  # noqa: F401 # registers how records are encoded
from transforms.aggregate import CountPairs, CountQueries, CountThemes
from transforms.alert import RaiseAlerts
from transforms.classify import DropDuplicates
from transforms.earlier_runs import NoEarlierRuns
from transforms.logic.documents import FieldNames
from transforms.logic.identity import short_hash, text_hash
from transforms.logic.stories import ThemeFacts, told_change
from transforms.normalise import NormaliseEntries
from transforms.parse import ParseDocuments
from transforms.records import (
    Article,
    ClassifiedArticle,
    Entry,
    FeedContext,
    KnownArticle,
    Origin,
    QueryTotal,
    RawDocument,
    ThemePair,
    ToldArticle,
)
from transforms.seen import DropSeen
from transforms.stories import GroupStories


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


FEED = (
    b'<rss version="2.0"><channel><title>Paper</title><ttl>30</ttl>'
    b"<item><title>One</title><link>https://paper.example/1</link></item>"
    b"<item><title>Two & more</title><link>https://paper.example/2</link></item></channel></rss>"
)


def fetched(payload: bytes) -> RawDocument:
    url = "https://paper.example/feed"
    context = FeedContext(url=url, base_url=url)
    changes = {"format": "feed", "origin": Origin(path=url), "feed": context}
    return document(payload).model_copy(update=changes)


def test_a_fetched_feed_says_what_was_found_of_it_and_a_file_does_not() -> None:
    file = document(FEED).model_copy(update={"format": "feed"})
    with pipeline() as p:
        parsed = created(p, fetched(FEED), file, document(b'{"title":"A"}')) | ParseDocuments(
            FieldNames()
        )
        titles = parsed.good | beam.Map(lambda e: e.title)
        assert_that(titles, equal_to(["One", "Two & more"] * 2 + ["A"]))
        reasons = parsed.dead | beam.Map(lambda d: (d.stage, d.reason.value))
        assert_that(reasons, equal_to([("parse", "malformed_feed")] * 2), label="Dead")
        readings = parsed.readings | beam.Map(lambda r: (r.title, r.entries, r.ttl_minutes))
        assert_that(readings, equal_to([("Paper", 2, 30)]), label="Readings")
        totals = parsed.tally | beam.CombinePerKey(sum)
        assert_that(totals, equal_to([("entries", 5)]), label="Tally")


def test_a_feed_that_cannot_be_read_has_a_reading_too() -> None:
    with pipeline() as p:
        parsed = created(p, fetched(b"<html>404</html>")) | ParseDocuments(FieldNames())
        assert_that(parsed.good, equal_to([]))
        errors = parsed.readings | beam.Map(lambda r: (r.entries, r.error[0]))
        assert_that(errors, equal_to([(0, "malformed_feed")]), label="Readings")


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
        distinct = created(p, newer, classified(A), classified(B, hits=())) | DropDuplicates(
            SEEN_AT
        )
        assert_that(distinct.good | beam.Map(lambda a: a.title), equal_to(["Newer"]))
        totals = distinct.tally | beam.CombinePerKey(sum)
        assert_that(totals, equal_to([("classified", 2), ("duplicates", 1)]), label="Tally")
        plain = distinct.changes | beam.Map(lambda change: change.article_ids)
        assert_that(plain, equal_to([(B,)]), label="Changes")


def test_copies_of_copies_are_one_story() -> None:
    articles = [
        classified(A, copy_key="one"),
        classified(B, copy_key="one", guid="urn:x:1"),
        classified(C, guid="urn:x:1"),
        classified(D),
    ]
    with pipeline() as p:
        grouped = created(p, *articles) | GroupStories(NoEarlierRuns, 0.8)
        ids = grouped.good | beam.Map(
            lambda t: (t.article.article_id, [one.article_id for one in t.story.articles])
        )
        together = [A, B, C]
        assert_that(ids, equal_to([(A, together), (B, together), (C, together), (D, [D])]))


TEXT = " ".join(f"word{number}" for number in range(120))


def ledger_after(*articles: ClassifiedArticle) -> MemoryLedger:
    """A ledger that saw the articles, as one story."""
    ledger = MemoryLedger()
    ledger.apply([told_change(one, "themes", SEEN_AT) for one in told(*articles)])
    return ledger


def test_near_copies_join_the_story_of_an_earlier_run() -> None:
    before = classified(A, text=TEXT)
    (earlier,) = told(before)
    copy = classified(B, text=TEXT.replace("word60", "other"))
    with pipeline() as p:
        grouped = created(p, copy) | GroupStories(partial(ledger_after, before), 0.8)
        ids = grouped.good | beam.Map(
            lambda t: (t.story.story_id, [one.article_id for one in t.story.articles])
        )
        assert_that(ids, equal_to([(earlier.story.story_id, [A, B])]))
        known = grouped.answers | beam.Map(lambda said: [one.story_id for one in said.stories])
        assert_that(known, equal_to([[earlier.story.story_id]]), label="Answers")


def article(article_id: str, text: str) -> Article:
    return Article.model_validate(
        classified(article_id).model_dump(include=set(Article.model_fields)) | {"text": text}
    )


def ledger_with(*articles: Article, themes: str = "themes", days: int = 0) -> MemoryLedger:
    """A ledger that saw the articles *days* ago."""
    ledger = MemoryLedger()
    for one in articles:
        ledger.articles[one.article_id] = KnownArticle(
            article_id=one.article_id,
            text_hash=short_hash(text_hash(one.title, one.text)),
            published_at=one.published_at - timedelta(hours=1),
            published_from="feed",
            last_seen_at=SEEN_AT - timedelta(days=days),
            levels={"migration": "focus"},
            themes=themes,
        )
    return ledger


def test_what_was_seen_as_it_is_goes_no_further() -> None:
    seen, edited, new = article(A, "seen"), article(B, "edited"), article(C, "new")
    earlier = partial(ledger_with, seen, article(B, "as it was"), days=2)
    with pipeline() as p:
        looked_up = created(p, seen, edited, new) | DropSeen(earlier, "themes", SEEN_AT)
        fresh = looked_up.good | beam.Map(
            lambda f: (f.article.article_id, f.known is not None, f.article.published_from)
        )
        assert_that(fresh, equal_to([(B, True, "feed"), (C, False, "file")]))
        assert_that(looked_up.tally, equal_to([("already_seen", 1)]), label="Tally")
        again = looked_up.changes | beam.Map(lambda change: change.article_ids)
        assert_that(again, equal_to([(A,)]), label="Changes")


def test_an_article_with_a_theme_is_looked_at_again_when_themes_change() -> None:
    seen = article(A, "seen")
    with pipeline() as p:
        looked_up = created(p, seen) | DropSeen(partial(ledger_with, seen), "others", SEEN_AT)
        assert_that(looked_up.good | beam.Map(lambda f: f.article.article_id), equal_to([A]))
        assert_that(looked_up.tally, equal_to([]), label="Tally")


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
        _ = created(pipeline(), *told(classified())) | DropDuplicates(SEEN_AT)


@pytest.mark.parametrize("record", [classified(), *told(classified())])
def test_records_survive_their_coder(record: ClassifiedArticle | ToldArticle) -> None:
    coder = beam.coders.registry.get_coder(type(record))
    assert coder.is_deterministic()
    assert coder.decode(coder.encode(record)) == record
