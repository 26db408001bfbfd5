"""From articles to fresh articles."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue

from transforms.dead_letters import CHANGES, GOOD, TALLY, CountingFn, Tally, in_global_window
from transforms.earlier_runs import OpenEarlierRuns
from transforms.logic.seen import fresh, is_stale
from transforms.records import Article, FreshArticle, SeenAgain

_BATCH = 500  # articles asked for at once: 1 MB of text, and a look-up costs its round trip


Changes: TypeAlias = TaggedOutput[Literal["changes"], SeenAgain]


class DropSeen(beam.PTransform):
    """Let through what earlier runs did not see, or saw in another version.

    `tally` counts the rest as `already_seen`. `changes` holds what the ledger should
    know of it. For the global window: articles wait for each other, at most 500 in a
    worker, until they are asked for together.

    Args:
        open_earlier: Opens the earlier runs in a worker.
        themes: Hash of the themes in force.
        as_of: The run's place in time.
        refresh_after: After what time the ledger is told that an article is still there.
    """

    def __init__(
        self,
        open_earlier: OpenEarlierRuns,
        themes: str,
        as_of: datetime,
        refresh_after: timedelta = timedelta(days=1),
    ) -> None:
        super().__init__()
        self._open_earlier = open_earlier
        self._themes = themes
        self._as_of = as_of
        self._refresh_after = refresh_after

    def expand(self, articles: beam.PCollection[Article]) -> beam.pvalue.DoOutputsTuple:
        return articles | "LookUp" >> beam.ParDo(
            _LookUpFn(self._open_earlier, self._themes, self._as_of, self._refresh_after)
        ).with_outputs(TALLY, CHANGES, main=GOOD)


class _LookUpFn(CountingFn):
    def __init__(
        self,
        open_earlier: OpenEarlierRuns,
        themes: str,
        as_of: datetime,
        refresh_after: timedelta,
    ) -> None:
        self._open_earlier = open_earlier
        self._themes = themes
        self._as_of = as_of
        self._refresh_after = refresh_after

    def setup(self) -> None:
        self._earlier = self._open_earlier()

    def teardown(self) -> None:
        self._earlier.close()

    def start_bundle(self) -> None:
        super().start_bundle()
        self._waiting: list[Article] = []

    def process(self, article: Article) -> Iterator[FreshArticle | Tally | Changes]:
        self._waiting.append(article)
        if len(self._waiting) >= _BATCH:
            yield from self._asked()

    def finish_bundle(self) -> Iterator[WindowedValue | TaggedOutput]:
        for result in self._asked():
            if isinstance(result, TaggedOutput):
                yield TaggedOutput(result.tag, in_global_window(result.value))
            else:
                yield in_global_window(result)
        yield from super().finish_bundle()

    def _asked(self) -> Iterator[FreshArticle | Tally | Changes]:
        articles, self._waiting = self._waiting, []
        known = self._earlier.known_articles([article.article_id for article in articles])
        stale = set()
        for article in articles:
            before = known.get(article.article_id)
            if (result := fresh(article, before, self._themes)) is not None:
                yield result
                continue
            self.counts["already_seen"] += 1
            if before is not None and is_stale(before, self._as_of, self._refresh_after):
                stale.add(article.article_id)
        if stale:
            ids = tuple(sorted(stale))
            yield TaggedOutput(CHANGES, SeenAgain(seen_at=self._as_of, article_ids=ids))
