"""Which alerts a sink is told of."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from transforms.records import Alert, BurstAlert, Level


class Selection(BaseModel):
    """What is wanted of each kind; where nothing is named, everything is.

    Attributes:
        sources: Any of the story's, whatever the case of their letters.
        languages: Of the article that the alert stands in; ISO 639 codes.
        tags: Any of that article's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    themes: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    kinds: tuple[Literal["alert", "update", "cancel", "burst"], ...] = ()
    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def takes(self, alert: Alert | BurstAlert) -> bool:
        """Whether *alert* is wanted.

        A burst is judged by theme and kind, and by the source or language that it is
        counted in; it has no level and no tags.
        """
        if isinstance(alert, BurstAlert):
            group = alert.group or ""
            return (
                _any(self.themes, alert.theme)
                and _any(self.kinds, alert.kind)
                and (alert.by != "source" or _any(_folded(self.sources), group.casefold()))
                and (alert.by != "language" or _any(self.languages, group))
            )
        article = alert.article
        return (
            _any(self.themes, alert.theme)
            and _any(self.levels, alert.level)
            and _any(self.kinds, alert.kind)
            and _any(_folded(self.sources), *_folded((article.source, *alert.story.sources)))
            and _any(self.languages, article.language)
            and _any(self.tags, *article.tags)
        )


def _any(wanted: tuple[str, ...], *found: str) -> bool:
    return not wanted or not set(wanted).isdisjoint(found)


def _folded(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.casefold() for name in names)
