"""A ledger says what a few dictionaries say, whatever runs are applied."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.ledger import Ledger, RunChange
from pipeline.ledger.schema import metadata
from tests.ledger.samples import NOW, a_hash, an_id
from transforms.records import (
    AlertChange,
    Candidate,
    KnownAlert,
    KnownArticle,
    KnownStory,
    SeenAgain,
    SeenArticles,
    StoryArticle,
    ToldChange,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ARTICLES = [an_id(number) for number in range(8)]
STORIES = [an_id(number) for number in range(100, 104)]
KEYS = [-(2**63), -1, 0, 1, 5 << 32, 2**63 - 1]
THEMES = ["encryption", "migration", "organisierte kriminalität"]

moments = st.integers(0, 10**16).map(lambda micros: EPOCH + timedelta(microseconds=micros))
levels = st.sampled_from(["mention", "focus"])
times_from = st.sampled_from(["feed", "file", "page", "reading"])
hashes = st.integers(0, 16**32 - 1).map(a_hash)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


def seen(article_id: str) -> st.SearchStrategy[RunChange]:
    return st.builds(
        SeenArticles,
        seen_at=moments,
        article_ids=st.just((article_id,)),
        text_hashes=st.tuples(hashes),
        published=st.tuples(st.integers(-(10**9), 10**10)),
        published_from=st.tuples(times_from),
    )


def seen_again(article_id: str) -> st.SearchStrategy[RunChange]:
    return st.builds(SeenAgain, seen_at=moments, article_ids=st.just((article_id,)))


def told(article_id: str) -> st.SearchStrategy[RunChange]:
    article = st.builds(
        StoryArticle,
        article_id=st.just(article_id),
        source=texts,
        published_at=moments,
        published_from=times_from,
        seen_at=moments,
        levels=st.dictionaries(st.sampled_from(THEMES) | texts, levels, max_size=3),
    )
    return st.builds(
        ToldChange,
        seen_at=moments,
        story_id=st.sampled_from(STORIES),
        article=article,
        text_hash=hashes,
        themes=texts,
        signature=st.binary(max_size=4),
        keys=st.lists(st.sampled_from(KEYS), max_size=4).map(tuple),
        known=st.none(),
    )


def alert(story_id: str, theme: str) -> st.SearchStrategy[RunChange]:
    state = st.builds(
        KnownAlert,
        alert_id=st.sampled_from(STORIES),
        theme=st.just(theme),
        level=levels,
        article_id=st.sampled_from(ARTICLES),
        cancelled=st.booleans(),
    )
    return st.builds(AlertChange, story_id=st.just(story_id), alert=state)


@st.composite
def runs(draw: st.DrawFn) -> list[RunChange]:
    """One thing of an article, and one of an alert, in any order."""
    articles = draw(st.lists(st.sampled_from(ARTICLES), unique=True))
    changes = [draw(st.one_of(told(one), seen(one), seen_again(one))) for one in articles]
    pairs = st.tuples(st.sampled_from(STORIES), st.sampled_from(THEMES))
    changes += [draw(alert(*pair)) for pair in draw(st.lists(pairs, max_size=2, unique=True))]
    return draw(st.permutations(changes))


class Model:
    """What a ledger is to know."""

    def __init__(self) -> None:
        self.articles: dict[str, KnownArticle] = {}
        self.told: dict[str, ToldChange] = {}
        self.stories: dict[str, int] = {}
        self.alerts: dict[tuple[str, str], KnownAlert] = {}

    def apply(self, sequence: int, changes: list[RunChange]) -> None:
        for change in changes:
            match change:
                case SeenArticles():
                    published_at = datetime.fromtimestamp(change.published[0], UTC)
                    text_hash, origin = change.text_hashes[0], change.published_from[0]
                    self.see(change.article_ids[0], text_hash, published_at, origin, change.seen_at)
                case SeenAgain():
                    if known := self.articles.get(change.article_ids[0]):
                        self.put(known, last_seen_at=max(known.last_seen_at, change.seen_at))
                case ToldChange():
                    one = change.article
                    known = self.see(
                        one.article_id,
                        change.text_hash,
                        one.published_at,
                        one.published_from,
                        change.seen_at,
                    )
                    told_of = {"levels": one.levels, "themes": change.themes}
                    self.put(known, story_id=change.story_id, **told_of)
                    self.told[one.article_id] = change
                    self.stories.setdefault(change.story_id, sequence)
                case AlertChange():
                    self.alerts[change.story_id, change.alert.theme] = change.alert
                    self.stories.setdefault(change.story_id, sequence)

    def see(
        self, article_id: str, text_hash: str, published_at: datetime, origin: str, at: datetime
    ) -> KnownArticle:
        known = self.articles.get(article_id) or KnownArticle(
            article_id=article_id,
            text_hash=text_hash,
            published_at=published_at,
            published_from=origin,
            last_seen_at=at,
        )
        return self.put(known, text_hash=text_hash, last_seen_at=max(known.last_seen_at, at))

    def put(self, known: KnownArticle, **changed: object) -> KnownArticle:
        self.articles[known.article_id] = known.model_copy(update=changed)
        return self.articles[known.article_id]

    def candidates(self) -> list[Candidate]:
        found = [
            Candidate(
                key=key,
                article_id=article_id,
                story_id=change.story_id,
                signature=change.signature,
            )
            for article_id, change in self.told.items()
            for key in set(change.keys)
        ]
        return sorted(found, key=lambda one: (one.key, one.article_id))

    def known_stories(self) -> dict[str, KnownStory]:
        return {
            story_id: KnownStory(
                story_id=story_id,
                sequence=sequence,
                articles=tuple(
                    self.as_known(change.article)
                    for _, change in sorted(self.told.items())
                    if change.story_id == story_id
                ),
                alerts=tuple(
                    alert for (of, _), alert in sorted(self.alerts.items()) if of == story_id
                ),
            )
            for story_id, sequence in self.stories.items()
        }

    def as_known(self, article: StoryArticle) -> StoryArticle:
        known = self.articles[article.article_id]
        first = {"published_at": known.published_at, "published_from": known.published_from}
        return article.model_copy(update=first)


@given(applied=st.lists(runs(), max_size=4))
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_ledger_says_what_was_applied(ledger: Ledger, applied: list[list[RunChange]]) -> None:
    empty(ledger)
    model = Model()
    for sequence, changes in enumerate(applied, 1):
        assert ledger.apply(f"run {sequence}", sequence, NOW, changes)
        model.apply(sequence, changes)
        assert ledger.known_articles(ARTICLES) == model.articles
        assert ledger.stories(STORIES) == model.known_stories()
        assert ledger.candidates(KEYS) == model.candidates()
        assert ledger.stats().rows["keys"] == len(model.candidates())
    exported = list(ledger.export())
    empty(ledger)
    ledger.restore(exported)
    assert list(ledger.export()) == exported
    assert ledger.known_articles(ARTICLES) == model.articles
    assert ledger.stories(STORIES) == model.known_stories()
    assert ledger.candidates(KEYS) == model.candidates()


def empty(ledger: Ledger) -> None:
    with ledger._writing() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
