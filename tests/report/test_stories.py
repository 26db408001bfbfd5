"""Stories of the report are those that the runs told, joined."""

from datetime import timedelta
from pathlib import Path

from pipeline.history import History
from pipeline.report.stories import ToldStory, read_stories
from tests.report.outputs import NOW, alert_of, article, theme, write_run

BEFORE = NOW - timedelta(days=1)


def stories(out: Path) -> list[ToldStory]:
    return read_stories(History(out))[0]


def test_articles_of_two_runs_make_one_story(tmp_path: Path) -> None:
    first = article(1, title="First", source="A", published_at=BEFORE)
    copy = article(2, title="Copy", source="B", language="fr", story_id=first.story_id)
    write_run(tmp_path, [first], as_of=BEFORE)
    write_run(tmp_path, [copy], alerts=[])
    (story,) = stories(tmp_path)
    assert story.story_id == first.story_id
    assert (story.title, story.published_at) == ("First", BEFORE)
    assert story.sources == ("A", "B")
    assert story.languages == ("en", "fr")


def test_the_best_evidence_of_all_articles_stands_for_the_theme(tmp_path: Path) -> None:
    weak = theme(level="mention", score=30, sentence="They touched on asylum seekers.")
    strong = theme(level="focus", score=9, sentence="It is all about asylum seekers.")
    first = article(1, weak, published_at=BEFORE)
    write_run(tmp_path, [first, article(2, strong, story_id=first.story_id)])
    (hit,) = stories(tmp_path)[0].hits
    assert (hit.level, hit.sentence) == ("focus", "It is all about asylum seekers.")


def test_focus_comes_first_then_the_score(tmp_path: Path) -> None:
    themes = (
        theme("encryption", level="mention", score=40),
        theme("migration", level="focus", score=9),
        theme("organised_crime", level="focus", score=20),
    )
    write_run(tmp_path, [article(1, *themes)])
    assert [hit.theme for hit in stories(tmp_path)[0].hits] == [
        "organised_crime",
        "migration",
        "encryption",
    ]


def test_a_theme_that_was_taken_back_is_gone_and_named(tmp_path: Path) -> None:
    migration, crime = theme("migration"), theme("organised_crime")
    told = article(1, migration, crime, title="Boats")
    write_run(tmp_path, [told], as_of=BEFORE)
    cancel = alert_of(
        told, crime, kind="cancel", change="lost_ground", cause="text_edited", evidence=()
    )
    write_run(tmp_path, [article(1, migration, title="Boats")], alerts=[cancel])
    found, cancels = read_stories(History(tmp_path))
    assert [hit.theme for hit in found[0].hits] == ["migration"]
    assert [(one.theme, one.title) for one in cancels] == [("organised_crime", "Boats")]
    write_run(tmp_path, [], as_of=NOW + timedelta(hours=1))
    assert not read_stories(History(tmp_path))[1], "that was news of the run before"


def test_a_story_without_a_theme_is_none(tmp_path: Path) -> None:
    told = article(1)
    write_run(tmp_path, [told], as_of=BEFORE)
    cancel = alert_of(
        told, told.themes[0], kind="cancel", change="lost_ground", cause="text_edited", evidence=()
    )
    write_run(tmp_path, [told.model_copy(update={"themes": ()})], alerts=[cancel])
    assert stories(tmp_path) == []


def test_news_is_what_was_last_said_and_was_not_old(tmp_path: Path) -> None:
    told, old = article(1, theme("migration", level="mention")), article(2)
    alerts = [alert_of(told, told.themes[0]), alert_of(old, old.themes[0], backfill=True)]
    write_run(tmp_path, [told, old], as_of=BEFORE, alerts=alerts)
    risen = article(1, theme("migration"))
    update = alert_of(
        risen,
        risen.themes[0],
        kind="update",
        refers_to="a",
        change="rose_to_focus",
        cause="text_edited",
    )
    write_run(tmp_path, [risen], alerts=[update])
    found = {story.story_id: story for story in stories(tmp_path)}
    assert found[told.story_id].news_at == NOW
    assert found[told.story_id].hits[0].change == "rose_to_focus"
    assert found[old.story_id].news_at is None


def test_the_newest_day_comes_first_and_in_it_the_biggest(tmp_path: Path) -> None:
    lone = article(1, title="lone")
    wire = [article(10 + n, title="wire", source=f"S{n}", story_id="1wire") for n in range(3)]
    yesterday = [
        article(20 + n, title="yesterday", source=f"S{n}", story_id="1old", published_at=BEFORE)
        for n in range(5)
    ]
    write_run(tmp_path, [lone, *wire, *yesterday])
    assert [story.title for story in stories(tmp_path)] == ["wire", "lone", "yesterday"]


def test_without_a_title_the_sentence_stands_for_it(tmp_path: Path) -> None:
    write_run(tmp_path, [article(1, title="")])
    assert stories(tmp_path)[0].title == "Ministers spoke of asylum seekers on Monday."
