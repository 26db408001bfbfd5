"""A ledger of dictionaries: what the real one should do, as plainly as it can be said."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from pipeline.ledger import RunChange
from transforms.records import (
    AlertChange,
    Candidate,
    KnownAlert,
    KnownArticle,
    KnownStory,
    SeenAgain,
    SeenArticles,
    ToldChange,
)


class MemoryLedger:
    """Holds all that was told to it, and forgets nothing."""

    def __init__(self) -> None:
        self.articles: dict[str, KnownArticle] = {}
        self.told: dict[str, ToldChange] = {}
        self.alerts: dict[tuple[str, str], KnownAlert] = {}
        self.sequences: dict[str, int] = {}
        self.runs = 0

    def known_articles(self, ids: Sequence[str], /) -> Mapping[str, KnownArticle]:
        return {one: self.articles[one] for one in ids if one in self.articles}

    def candidates(self, keys: Sequence[int], /) -> Sequence[Candidate]:
        return [
            Candidate(
                key=key,
                article_id=article_id,
                story_id=told.story_id,
                signature=told.signature,
            )
            for key in sorted(set(keys))
            for article_id, told in sorted(self.told.items())
            if key in told.keys
        ]

    def stories(self, story_ids: Sequence[str], /) -> Mapping[str, KnownStory]:
        return {
            story_id: KnownStory(
                story_id=story_id,
                sequence=self.sequences[story_id],
                articles=tuple(
                    told.article
                    for _, told in sorted(self.told.items())
                    if told.story_id == story_id
                ),
                alerts=tuple(
                    alert
                    for (_, theme), alert in sorted(self.alerts.items())
                    if self.alerts.get((story_id, theme)) is alert
                ),
            )
            for story_id in story_ids
            if story_id in self.sequences
        }

    def close(self) -> None:
        pass

    def apply(self, changes: Iterable[RunChange]) -> None:
        self.runs += 1
        for change in changes:
            match change:
                case SeenArticles():
                    rows = zip(
                        change.article_ids,
                        change.text_hashes,
                        change.published,
                        change.published_from,
                        strict=True,
                    )
                    for article_id, text_hash, published, published_from in rows:
                        self._see(
                            KnownArticle(
                                article_id=article_id,
                                text_hash=text_hash,
                                published_at=datetime.fromtimestamp(published, UTC),
                                published_from=published_from,
                                last_seen_at=change.seen_at,
                            )
                        )
                case SeenAgain():
                    for article_id in change.article_ids:
                        self.articles[article_id] = self.articles[article_id].model_copy(
                            update={"last_seen_at": change.seen_at}
                        )
                case ToldChange():
                    self.told[change.article.article_id] = change
                    self.sequences.setdefault(change.story_id, self.runs)
                    self._see(
                        KnownArticle(
                            article_id=change.article.article_id,
                            text_hash=change.text_hash,
                            published_at=change.article.published_at,
                            published_from=change.article.published_from,
                            last_seen_at=change.seen_at,
                            story_id=change.story_id,
                            levels=change.article.levels,
                            themes=change.themes,
                        )
                    )
                case AlertChange():
                    self.alerts[change.story_id, change.alert.theme] = change.alert

    def _see(self, article: KnownArticle) -> None:
        if first := self.articles.get(article.article_id):
            article = article.model_copy(
                update={
                    "published_at": first.published_at,
                    "published_from": first.published_from,
                }
            )
        self.articles[article.article_id] = article
