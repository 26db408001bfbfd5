"""What runs say of bursts: once, then only what has changed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.burst_alerts import BURSTS, bursts_of, write_bursts
from pipeline.manifest import MANIFEST, output_files
from pipeline.runs import CompleteRun, complete_runs
from pipeline.stats.burst_rules import BurstRule
from tests.report.outputs import article, theme, write_run
from transforms.records import ArticleSummary, BurstAlert

DAY = timedelta(days=1)
TODAY = datetime(2026, 11, 24, tzinfo=UTC)
RULES = (BurstRule(theme="migration"),)


class Runs:
    """An output folder in which one run after the other is completed."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self._staging = folder / "staging"
        self._number = 0

    def run(
        self,
        articles: Sequence[ArticleSummary],
        as_of: datetime,
        *,
        rules: Sequence[BurstRule] = RULES,
        monitored: dict[Any, int] | None = None,
        **changes: Any,
    ) -> list[BurstAlert]:
        """Complete a run; what it says of bursts."""
        self._number += 1
        place = self._staging / str(self._number)
        write_run(place, articles, as_of=as_of, monitored=monitored)
        (staged,) = complete_runs(place)
        manifest = staged.manifest.model_copy(update={"sequence": self._number} | changes)
        write_bursts(self.out, CompleteRun(staged.folder, manifest), rules, timedelta(days=7))
        (staged.folder / MANIFEST).unlink()
        manifest = manifest.model_copy(update={"files": output_files(staged.folder)})
        (staged.folder / MANIFEST).write_text(manifest.model_dump_json())
        final = self.out / "runs" / manifest.run_id
        final.parent.mkdir(parents=True, exist_ok=True)
        staged.folder.rename(final)
        return list(bursts_of(CompleteRun(final, manifest)))


def stories(day: datetime, first: int, number: int, **changes: Any) -> list[ArticleSummary]:
    found = theme("migration")
    return [
        article(first + n, found, published_at=day + timedelta(hours=1), **changes)
        for n in range(number)
    ]


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    """Eight weeks of two stories a day, told by one run this morning at four."""
    made = Runs(tmp_path)
    days = [TODAY - back * DAY for back in range(1, 60)]
    past = [one for n, day in enumerate(days) for one in stories(day, 100 * n, 2)]
    watched = {day.date(): 100 for day in days}
    assert made.run(past, TODAY + 4 * DAY / 24, monitored=watched) == []
    return made


def today(runs: Runs, first: int, number: int, hour: int, **more: Any) -> list[BurstAlert]:
    """A run of so many new stories at an hour of today; 100 articles are monitored at first."""
    watched = {TODAY.date(): more.pop("watched", 0)}
    as_of = TODAY + hour * DAY / 24
    return runs.run(stories(TODAY, first, number), as_of, monitored=watched, **more)


def test_a_burst_is_told_once_and_again_when_it_has_grown(runs: Runs) -> None:
    (burst,) = today(runs, 10_000, 12, 6, watched=100)
    assert (burst.change, burst.refers_to, burst.stories, burst.monitored) == (None, None, 12, 100)
    assert (burst.bucket_start, burst.bucket_end) == (TODAY, TODAY + DAY)
    assert burst.baseline.low <= burst.baseline.expected <= burst.baseline.high < 12
    assert Counter(story.title for story in burst.told) == Counter(
        f"Headline {n}" for n in range(10_000, 10_012)
    )
    assert today(runs, 20_000, 5, 7) == []
    (grown,) = today(runs, 30_000, 1, 8)
    assert (grown.change, grown.refers_to, grown.stories) == ("grew", burst.alert_id, 18)
    assert grown.alert_id != burst.alert_id


def test_a_burst_fades_where_more_was_monitored_and_may_come_back(runs: Runs) -> None:
    (burst,) = today(runs, 10_000, 12, 6, watched=100)
    (faded,) = today(runs, 20_000, 0, 7, watched=900)
    assert (faded.change, faded.refers_to, faded.stories) == ("faded", burst.alert_id, 12)
    assert today(runs, 20_000, 0, 8, watched=10) == []
    (back,) = today(runs, 30_000, 60, 9)
    assert (back.change, back.refers_to) == ("grew", burst.alert_id)


def test_two_rules_that_find_the_same_say_it_once(runs: Runs) -> None:
    found = today(runs, 10_000, 12, 6, watched=100, rules=(*RULES, BurstRule()))
    assert [(one.theme, one.by) for one in found] == [("migration", None)]


def test_a_group_has_an_alert_of_its_own(tmp_path: Path) -> None:
    rules = (BurstRule(by="country"),)
    made = Runs(tmp_path)
    days = [TODAY - back * DAY for back in range(1, 60)]
    link = {"url": "https://paper.be/"}
    past = [one for n, day in enumerate(days) for one in stories(day, 100 * n, 2, **link)]
    made.run(past, TODAY, monitored={day.date(): 100 for day in days})
    news = [*stories(TODAY, 10_000, 12, **link), *stories(TODAY, 20_000, 3)]
    watched = {TODAY.date(): 100}
    (burst,) = made.run(news, TODAY + DAY / 2, rules=rules, monitored=watched)
    assert (burst.by, burst.group, burst.stories, len(burst.told)) == ("country", "be", 12, 12)


@pytest.mark.parametrize(
    ("rules", "changes"),
    [
        ((), {}),
        ((BurstRule(theme="encryption"),), {}),
        ((BurstRule(fewest=13),), {}),
        (RULES, {"all_backfill": True}),
    ],
    ids=["no rule", "another theme", "too few", "all is backfill"],
)
def test_nothing_is_said(runs: Runs, rules: Sequence[BurstRule], changes: Any) -> None:
    assert today(runs, 10_000, 12, 6, watched=100, rules=rules, **changes) == []
    newest = complete_runs(runs.out)[-1]
    assert newest.manifest.files[BURSTS].bytes == 0


def test_an_old_burst_is_no_news(tmp_path: Path) -> None:
    made = Runs(tmp_path)
    days = [TODAY - back * DAY for back in range(70)]
    past = [one for n, day in enumerate(days) for one in stories(day, 100 * n, 2)]
    watched = {day.date(): 100 for day in days}
    old, new = (
        stories(TODAY - back * DAY, first, 12) for back, first in ((8, 10_000), (3, 20_000))
    )
    (burst,) = made.run([*past, *old, *new], TODAY + DAY / 4, monitored=watched)
    assert burst.bucket_start == TODAY - 3 * DAY


def test_the_same_runs_write_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for folder in ("a", "b"):
        made = Runs(tmp_path / folder)
        days = [TODAY - back * DAY for back in range(60)]
        past = [one for n, day in enumerate(days) for one in stories(day, 100 * n, 2)]
        rules = (BurstRule(), BurstRule(by="source"), BurstRule(by="language"))
        watched = {day.date(): 100 for day in days}
        news = stories(TODAY, 90_000, 12)
        articles = [*past, *news] if folder == "a" else [*news, *reversed(past)]
        made.run(articles, TODAY + DAY / 4, rules=rules, monitored=watched)
        written.append((complete_runs(made.out)[0].folder / BURSTS).read_bytes())
    assert written[0] == written[1] != b""


def test_the_first_id_is_that_of_theme_group_and_bucket(runs: Runs) -> None:
    (burst,) = today(runs, 10_000, 12, 6, watched=100)
    assert burst.alert_id == "12926aa12cf564092f90754e49ef3af93"


@pytest.mark.parametrize(
    "rule", [{"by": "author"}, {"every": "week"}, {"time_zone": "Mars"}, {"fewest": 2}, {"by_": 1}]
)
def test_a_rule_that_means_nothing_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BurstRule.model_validate(rule)
