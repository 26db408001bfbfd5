"""The feeds: one a theme and one of all, each in every format."""

from collections.abc import Iterator
from typing import Final

from pipeline.history import History
from pipeline.sinks.base import Delivery
from pipeline.sinks.feeds.entries import Entry, Feed, entry_of, urn
from pipeline.sinks.feeds.formats import atom, json_feed
from pipeline.sinks.feeds.settings import FeedsSettings
from pipeline.sinks.places import Place

_OF_ALL: Final = "all-themes"  # no theme's name has a hyphen
_FORMATS: Final = {"atom": atom, "json": json_feed}


class FeedsSink:
    """Writes all feeds anew after each run; they say what holds after all runs that are kept."""

    def __init__(self, settings: FeedsSettings, place: Place) -> None:
        self._settings = settings
        self._place = place

    def deliver(self, delivery: Delivery, /) -> None:
        if delivery.run.folder != delivery.history.runs[-1].folder:
            return  # what it says is in the feeds that are written for the newest
        for feed in self._feeds(delivery.history):
            for suffix, written in _FORMATS.items():
                name = f"{feed.name}.{suffix}"
                self._place.write(name, written(feed, self._url(name)))

    def close(self) -> None:
        """Nothing is held."""

    def _feeds(self, history: History) -> Iterator[Feed]:
        newest = history.runs[-1].manifest
        entries = sorted(self._entries(history), key=_newest_first, reverse=True)
        for name in (*newest.themes, _OF_ALL):
            shown = [one for one in entries if name in (one.theme, _OF_ALL)][: self._settings.most]
            yield Feed(
                name=name,
                feed_id=urn("feed", self._settings.base_url or self._settings.name, name),
                title=f"{self._settings.title}: {name.replace('_', ' ').replace('-', ' ')}",
                updated=max((one.updated for one in shown), default=newest.as_of),
                entries=shown,
            )

    def _entries(self, history: History) -> Iterator[Entry]:
        """What was said in the span that feeds reach back."""
        moments = {run.manifest.run_id: run.manifest.as_of for run in history.runs}
        since = history.runs[-1].manifest.as_of - self._settings.keep
        for state in history.alerts():
            said_at = moments[state.run_id]
            if said_at >= since and (self._settings.backfill or not state.alert.backfill):
                yield entry_of(state, said_at)

    def _url(self, name: str) -> str | None:
        base = self._settings.base_url
        return f"{base.rstrip('/')}/{name}" if base else None


def _newest_first(entry: Entry) -> tuple[object, ...]:
    return entry.updated, entry.published, entry.entry_id
