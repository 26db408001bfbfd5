"""From near-copies to stories, and what is to be said of each.

A story is told by articles that are exact or near copies of one another, in this
run and in earlier ones. It keeps the id that it was first given. What earlier runs
said of it decides what this one says: one alert a theme, then only updates and
cancels, in the sense of the Common Alerting Protocol 1.2.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from transforms.logic.copies import connect, exact_keys
from transforms.logic.identity import short_hash
from transforms.logic.near_duplicates import similar_pairs, similarity
from transforms.logic.outlines import all_keys
from transforms.records import (
    Alert,
    AlertArticle,
    AlertChange,
    AlertStory,
    ArticleSummary,
    Candidate,
    Cause,
    Change,
    ClassifiedArticle,
    CodeSet,
    Decision,
    KnownAlert,
    KnownStory,
    Outline,
    Story,
    StoryArticle,
    ThemeHit,
    ThemeSummary,
    ToldArticle,
    ToldChange,
)


class ThemeFacts(NamedTuple):
    """What an alert says of its theme besides the name."""

    version: str
    codes: dict[str, CodeSet]


def outline(article: ClassifiedArticle) -> Outline:
    """What stories need to know of *article*, which counts for them."""
    assert article.signature is not None, "an article that counts for stories has a signature"  # noqa: S101
    return Outline(
        article=StoryArticle(
            article_id=article.article_id,
            source=article.source,
            published_at=article.published_at,
            published_from=article.published_from,
            seen_at=article.seen_at,
            levels={hit.theme: hit.level for hit in article.hits},
        ),
        text_hash=short_hash(article.version),
        signature=article.signature,
        exact_keys=tuple(exact_keys(article)),
        known=article.known,
    )


def form_stories(
    outlines: Sequence[Outline],
    candidates: Iterable[Candidate],
    known: Mapping[str, KnownStory],
    similar: float,
) -> list[Story]:
    """All stories of this run's articles, in the order of their ids.

    Articles are one story where they share an exact key or are similar, directly or
    through others. An article of an earlier run stays in its story; a new one joins
    the story of its copies, the oldest where they are of several.

    Args:
        outlines: Of all articles of this run that count for stories, each once.
        candidates: Articles of earlier runs that share a key with one of them.
        known: The stories of the candidates, and of the articles themselves.
        similar: The estimated Jaccard similarity from which two texts are near-copies.
    """
    outlines = sorted(outlines, key=lambda told: told.article.article_id)
    root = connect(_links(outlines, candidates, known, similar))
    together: defaultdict[str, list[str]] = defaultdict(list)  # known stories, by root
    for story_id in known:
        node = _story_node(story_id)
        together[root.get(node, node)].append(story_id)
    members: defaultdict[str, list[Outline]] = defaultdict(list)  # by a story's node or a root
    for told in outlines:
        article_id = told.article.article_id
        at = root.get(article_id, article_id)
        if own := _own_story(told, known):
            members[_story_node(own)].append(told)
        elif at in together:
            oldest = min(together[at], key=lambda one: (known[one].sequence, one))
            members[_story_node(oldest)].append(told)
        else:
            members[at].append(told)
    by_node = {_story_node(story_id): story for story_id, story in known.items()}
    stories = [tell_story(told, by_node.get(node)) for node, told in members.items()]
    return sorted(stories, key=lambda story: story.story_id)


def _own_story(told: Outline, known: Mapping[str, KnownStory]) -> str | None:
    """The story that an article has been in since an earlier run."""
    story_id = told.known.story_id if told.known else None
    return story_id if story_id in known else None


def _story_node(story_id: str) -> str:
    return f"story {story_id}"


def _links(
    outlines: Sequence[Outline],
    candidates: Iterable[Candidate],
    known: Mapping[str, KnownStory],
    similar: float,
) -> Iterator[tuple[str, str]]:
    """Pairs of articles, or of an article and a known story, that belong together."""
    first: dict[int, str] = {}
    for told in outlines:
        for key in told.exact_keys:
            other = first.setdefault(key, told.article.article_id)
            if other != told.article.article_id:
                yield other, told.article.article_id
    for left, right in similar_pairs([told.signature for told in outlines], similar):
        yield outlines[left].article.article_id, outlines[right].article.article_id
    by_key: defaultdict[int, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        by_key[candidate.key].append(candidate)
    for told in outlines:
        article_id = told.article.article_id
        if own := _own_story(told, known):
            yield article_id, _story_node(own)
        found = set()
        if by_key:
            found = {
                candidate.story_id
                for key in all_keys(told)
                for candidate in by_key.get(key, ())
                if candidate.story_id not in found
                and (
                    key in told.exact_keys
                    or similarity(told.signature, candidate.signature) >= similar
                )
            }
        for story_id in sorted(found & known.keys()):
            yield article_id, _story_node(story_id)


def tell_story(members: Iterable[Outline], known: KnownStory | None = None) -> Story:
    """One story of this run's *members*, and of the articles of earlier runs if it is *known*.

    The lead is the earliest published, ties by article_id. An article without a date
    of its own leads only where none has one: the time of reading says nothing about
    who was first.
    """
    told = sorted(members, key=lambda one: _order(one.article))
    now = {one.article.article_id for one in told}
    earlier = [one for one in known.articles if one.article_id not in now] if known else []
    articles = sorted([*earlier, *(one.article for one in told)], key=_order)
    lead, *others = articles
    story_id = known.story_id if known else _hash("story", lead.article_id)
    return Story(
        story_id=story_id,
        lead=lead,
        others=tuple(others),
        decisions=tuple(_decide(story_id, told, earlier, known.alerts if known else ())),
    )


def _decide(
    story_id: str,
    told: Sequence[Outline],
    earlier: Sequence[StoryArticle],
    alerts: Sequence[KnownAlert],
) -> Iterator[Decision]:
    """What is to be said of each theme, by name.

    Args:
        told: This run's articles, in their order.
        earlier: The articles of earlier runs that are not among them.
        alerts: What earlier runs said.
    """
    said = {alert.theme: alert for alert in alerts}
    themes = said.keys() | {theme for one in told for theme in one.article.levels}
    for theme in sorted(themes):
        before = said.get(theme)
        voice = _voice(theme, told)
        if before is None or before.cancelled:
            if voice is None:
                continue
            first = _hash("alert", theme, story_id)
            referred = (
                before.alert_id if before else min((a.alert_id for a in alerts), default=None)
            )
            if before is not None or (voice.known is not None and referred is not None):
                new_id = first if before is None else _update_id("update", theme, story_id, voice)
                yield _decision(theme, "update", new_id, referred, "gained_theme", voice)
            else:
                yield Decision(
                    theme=theme,
                    kind="alert",
                    alert_id=first,
                    article_id=voice.article.article_id,
                )
        elif risen := _risen(theme, before, told):
            new_id = _update_id("update", theme, story_id, risen)
            yield _decision(theme, "update", new_id, before.alert_id, "rose_to_focus", risen)
        elif lost := _lost(theme, told, earlier):
            new_id = _update_id("cancel", theme, story_id, lost)
            yield _decision(theme, "cancel", new_id, before.alert_id, "lost_ground", lost)


def _voice(theme: str, told: Iterable[Outline]) -> Outline | None:
    """The first article that has the theme at the highest level."""
    having = [one for one in told if theme in one.article.levels]
    return min(having, key=lambda one: one.article.levels[theme] != "focus", default=None)


def _risen(theme: str, before: KnownAlert, told: Iterable[Outline]) -> Outline | None:
    """The first known article that has come to be about what was only mentioned."""
    if before.level == "focus":
        return None
    return next(
        (
            one
            for one in told
            if one.known is not None
            and one.article.levels.get(theme) == "focus"
            and one.known.levels.get(theme) != "focus"
        ),
        None,
    )


def _lost(theme: str, told: Sequence[Outline], earlier: Iterable[StoryArticle]) -> Outline | None:
    """The first article that has lost the theme, where no article of the story has it any more."""
    if any(theme in one.article.levels for one in told) or any(
        theme in one.levels for one in earlier
    ):
        return None
    return next((one for one in told if one.known is not None and theme in one.known.levels), None)


def _decision(
    theme: str,
    kind: str,
    alert_id: str,
    refers_to: str | None,
    change: Change,
    told: Outline,
) -> Decision:
    edited = told.known is None or told.known.text_hash != told.text_hash
    cause: Cause = "text_edited" if edited else "theme_corrected"
    return Decision.model_validate(
        {
            "theme": theme,
            "kind": kind,
            "alert_id": alert_id,
            "refers_to": refers_to,
            "change": change,
            "cause": cause,
            "article_id": told.article.article_id,
        }
    )


def alerts_of(
    told: ToldArticle, themes: Mapping[str, ThemeFacts], backfill_after: timedelta
) -> Iterator[Alert]:
    """The alerts that an article raises: those for which its story speaks by it.

    `backfill` is set where the story's lead was older than *backfill_after* when it
    was seen. A theme that is no longer monitored is not spoken of.
    """
    article, story = told.article, told.story
    decisions = [
        one
        for one in story.decisions
        if one.article_id == article.article_id and one.theme in themes
    ]
    if not decisions:
        return
    summary = AlertStory(
        story_id=story.story_id,
        articles=len(story.articles),
        sources=tuple(sorted({one.source for one in story.articles})),
        article_ids=tuple(one.article_id for one in story.articles),
    )
    hits = {hit.theme: hit for hit in article.hits}
    for decision in decisions:
        hit: ThemeHit | None = hits.get(decision.theme)
        before = article.known.levels.get(decision.theme) if article.known else None
        yield Alert(
            alert_id=decision.alert_id,
            kind=decision.kind,
            refers_to=decision.refers_to,
            change=decision.change,
            cause=decision.cause,
            theme=decision.theme,
            theme_version=themes[decision.theme].version,
            codes=themes[decision.theme].codes,
            level=hit.level if hit else before or "mention",
            score=hit.score if hit else 0.0,
            backfill=story.lead.seen_at - story.lead.published_at > backfill_after,
            story=summary,
            article=_alert_article(article),
            evidence=hit.evidence if hit else (),
        )


def told_change(told: ToldArticle, themes: str, as_of: datetime) -> ToldChange:
    """What the ledger is to know of an article.

    Args:
        themes: Hash of the themes that it was classified by.
        as_of: The run's place in time.
    """
    one = outline(told.article)
    return ToldChange(
        seen_at=as_of,
        story_id=told.story.story_id,
        article=one.article,
        text_hash=one.text_hash,
        themes=themes,
        signature=one.signature,
        keys=all_keys(one),
        known=one.known,
    )


def summary_of(told: ToldArticle) -> ArticleSummary:
    """What other systems are told of an article."""
    article = told.article
    hits = sorted(article.hits, key=lambda hit: hit.theme)
    return ArticleSummary(
        article_id=article.article_id,
        story_id=told.story.story_id,
        url=article.url,
        title=article.title,
        source=article.source,
        language=article.language,
        tags=article.tags,
        published_at=article.published_at,
        updated_at=article.updated_at,
        seen_at=article.seen_at,
        text_hash=article.text_hash,
        themes=tuple(
            ThemeSummary(
                theme=hit.theme, level=hit.level, score=hit.score, evidence=hit.evidence[0]
            )
            for hit in hits
        ),
    )


def alert_change(alert: Alert) -> AlertChange:
    """What the ledger is to know of an alert: the state of its theme and story after it."""
    return AlertChange(
        story_id=alert.story.story_id,
        alert=KnownAlert(
            alert_id=_hash("alert", alert.theme, alert.story.story_id),
            theme=alert.theme,
            level=alert.level,
            article_id=alert.article.article_id,
            cancelled=alert.kind == "cancel",
        ),
    )


def _order(article: StoryArticle) -> tuple[bool, datetime, str]:
    undated = article.published_from == "reading"
    return undated, article.published_at, article.article_id


def _alert_article(article: ClassifiedArticle) -> AlertArticle:
    return AlertArticle(**{name: getattr(article, name) for name in AlertArticle.model_fields})


def _update_id(kind: str, theme: str, story_id: str, told: Outline) -> str:
    """Of an update or cancel: a text may go back and forth, so the time is part of it."""
    return _hash(kind, theme, story_id, told.text_hash, told.article.seen_at.isoformat())


def _hash(*parts: str) -> str:
    """A version prefix, and 128 bits of BLAKE2b over *parts*, which hold no line feed."""
    return "1" + hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
