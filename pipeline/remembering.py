"""What a run tells the ledger, and what its stages are told of earlier runs."""

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import zstandard
from pydantic import TypeAdapter

from pipeline.ledger import Ledger, RunChange
from pipeline.manifest import LEDGER_ANSWERS, LEDGER_CHANGES
from pipeline.pauses import pass_point
from transforms.earlier_runs import EarlierRuns
from transforms.logic.seen import ANY_VERSION
from transforms.records import (
    Answers,
    Candidate,
    KnownArticle,
    KnownStory,
    SeenArticles,
    ToldChange,
)

_CHANGE: TypeAdapter[RunChange] = TypeAdapter(RunChange)


def read_changes(run_dir: Path) -> Iterator[RunChange]:
    """The changes that a run made, in the order of its files."""
    for path in sorted((run_dir / LEDGER_CHANGES).glob("*.jsonl.zst")):
        yield from map(_CHANGE.validate_json, _lines(path))


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as source:
        yield from io.BufferedReader(source)


def open_ledger(url: str) -> EarlierRuns:
    """The ledger at *url*, for the stages of a run."""
    return _AskedLedger(Ledger.open(url))


class _AskedLedger:
    """A ledger that is only asked."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def known_articles(self, ids: Sequence[str], /) -> Mapping[str, KnownArticle]:
        pass_point("asking_for_articles")
        return self._ledger.known_articles(ids)

    def candidates(self, keys: Sequence[int], /) -> Sequence[Candidate]:
        pass_point("asking_for_candidates")
        return self._ledger.candidates(keys)

    def stories(self, story_ids: Sequence[str], /) -> Mapping[str, KnownStory]:
        pass_point("asking_for_stories")
        return self._ledger.stories(story_ids)

    def close(self) -> None:
        self._ledger.close()


def open_recorded(run_dir: Path) -> EarlierRuns:
    """What the ledger said to the stages of a run, from the run's own files."""
    return _RecordedRuns(run_dir)


class _RecordedRuns:
    """An article that the run does not speak of had been seen by then."""

    def __init__(self, run_dir: Path) -> None:
        self._new: set[str] = set()
        self._known: dict[str, KnownArticle] = {}
        for change in read_changes(run_dir):
            match change:
                case SeenArticles():
                    self._new.update(change.article_ids)
                case ToldChange(known=KnownArticle() as known):
                    self._known[change.article.article_id] = known
                case ToldChange():
                    self._new.add(change.article.article_id)
        answers = [Answers.model_validate_json(one) for one in _lines(run_dir / LEDGER_ANSWERS)]
        self._candidates = [one for said in answers for one in said.candidates]
        self._stories = {one.story_id: one for said in answers for one in said.stories}

    def known_articles(self, ids: Sequence[str], /) -> Mapping[str, KnownArticle]:
        return {
            one: self._known.get(one) or _seen_before(one) for one in ids if one not in self._new
        }

    def candidates(self, keys: Sequence[int], /) -> Sequence[Candidate]:
        asked = set(keys)
        return [one for one in self._candidates if one.key in asked]

    def stories(self, story_ids: Sequence[str], /) -> Mapping[str, KnownStory]:
        return {one: self._stories[one] for one in story_ids if one in self._stories}

    def close(self) -> None:
        pass


def _seen_before(article_id: str) -> KnownArticle:
    moment = datetime.fromtimestamp(0, UTC)
    return KnownArticle(
        article_id=article_id,
        text_hash=ANY_VERSION,
        published_at=moment,
        published_from="reading",
        last_seen_at=datetime.max.replace(tzinfo=UTC),
    )
