"""What stages ask of the runs before this one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from transforms.records import Candidate, KnownArticle, KnownStory


class EarlierRuns(Protocol):
    """Look-ups by key, in batches; what is not known is left out of the answers."""

    def known_articles(self, ids: Sequence[str], /) -> Mapping[str, KnownArticle]:
        """The articles of these ids."""

    def candidates(self, keys: Sequence[int], /) -> Sequence[Candidate]:
        """All articles that share one of these keys."""

    def stories(self, story_ids: Sequence[str], /) -> Mapping[str, KnownStory]:
        """The stories of these ids."""

    def close(self) -> None:
        """Give up what was opened."""


OpenEarlierRuns: TypeAlias = Callable[[], EarlierRuns]
"""Opens them in a worker: a stage is given this, which can be pickled."""


class NoEarlierRuns:
    """Nothing was seen before."""

    def known_articles(self, _ids: Sequence[str], /) -> Mapping[str, KnownArticle]:
        return {}

    def candidates(self, _keys: Sequence[int], /) -> Sequence[Candidate]:
        return ()

    def stories(self, _story_ids: Sequence[str], /) -> Mapping[str, KnownStory]:
        return {}

    def close(self) -> None:
        pass
