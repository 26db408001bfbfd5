"""What identifies the entries of a feed, from one reading to the next."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.articles import classified
from tests.feeds.publisher import Item, Reader
from transforms.logic.copies import exact_keys
from transforms.records import Article

ORDER = [None, "link", "guid", "text"]


def story(number: int, title: str | None = None, **changes: str | None) -> Item:
    item = Item(
        title or f"Story {number}",
        link=f"https://paper.example/{number}",
        guid=f"p-{number}",
        text=f"Words of story {number}.",
    )
    return item._replace(**changes)


def stories(*numbers: int, **changes: Callable[[int], str | None]) -> list[Item]:
    return [
        story(number, **{name: change(number) for name, change in changes.items()})
        for number in numbers
    ]


def test_an_edited_title_leaves_the_article_the_same() -> None:
    reader = Reader()
    before = reader.ids(*stories(1, 2, 3))
    assert reader.ids(story(1, "Edited"), *stories(2, 3)) == before
    assert reader.context.identity == "link"


def test_a_date_that_is_bumped_at_each_edit_leaves_the_article_the_same() -> None:
    reader = Reader()
    before = reader.ids(*stories(1, 2))
    later = "Mon, 23 Nov 2026 12:00:00 GMT"
    edited = [item._replace(title=f"{item.title}!", date=later) for item in stories(1, 2)]
    assert reader.ids(*edited) == before


def test_guids_that_hold_the_headline_are_trusted_no_more() -> None:
    reader = Reader()
    before = reader.ids(*stories(1, 2, 3, guid=lambda n: f"{n}-story-{n}"))
    edited = [story(n, f"Edited {n}", guid=f"{n}-edited-{n}") for n in (1, 2)]
    assert reader.ids(*edited, story(3, guid="3-story-3")) == before
    assert (reader.context.identity, reader.context.trusts_guids) == ("link", False)
    assert {"guid_changes"} == {oddity.code for oddity in reader.reading.oddities}
    (article,) = reader.read(story(3, guid="3-story-3"))
    assert article.guid is None


def test_links_that_change_at_each_request_give_way_to_guids() -> None:
    reader = Reader()
    reader.read(*stories(1, 2, 3, link=lambda n: f"https://paper.example/{n}?session=a"))
    first = reader.ids(*stories(1, 2, 3, link=lambda n: f"https://paper.example/{n}?session=b"))
    again = reader.ids(*stories(1, 2, 3, link=lambda n: f"https://paper.example/{n}?session=c"))
    assert first == again
    assert reader.context.identity == "guid"


def test_links_that_follow_the_headline_give_way_to_guids() -> None:
    reader = Reader()
    reader.read(*stories(1, 2, 3, 4, 5))
    edited = [story(n, f"Edited {n}", link=f"https://paper.example/edited-{n}") for n in (1, 2)]
    before = reader.ids(*edited, *stories(3, 4, 5))
    assert reader.context.identity == "guid"
    assert reader.reading.identity_found == (
        "2 of 2 entries that were edited changed their link, "
        "and nearly all have a guid of their own"
    )
    again = [story(n, f"Again {n}", link=f"https://paper.example/again-{n}") for n in (1, 2)]
    assert reader.ids(*again, *stories(3, 4, 5)) == before


def test_where_links_and_guids_change_the_text_is_what_stays() -> None:
    reader = Reader()

    def at(time: str) -> list[Item]:
        return stories(
            1, 2, 3, link=lambda n: f"https://paper.example/{n}/{time}", guid=time.format
        )

    reader.read(*at("a{}"))
    before = reader.ids(*at("b{}"))
    assert reader.ids(*at("c{}")) == before
    assert (reader.context.identity, reader.context.trusts_guids) == ("text", False)


def test_one_entry_proves_nothing() -> None:
    reader = Reader()
    reader.read(*stories(1, 2, 3))
    moved = story(1, link="https://paper.example/moved")
    reader.read(moved, *stories(2, 3))
    reader.read(story(1, "Edited", guid="other"), *stories(2, 3))
    assert (reader.context.identity, reader.context.trusts_guids) == ("link", True)


def test_most_must_show_it() -> None:
    reader = Reader()
    reader.read(*stories(*range(10)))
    reader.read(
        *stories(1, 2, link=lambda n: f"https://paper.example/moved/{n}"), *stories(3, 4, 5)
    )
    assert reader.context.identity == "link"


def test_a_site_that_moves_to_https_has_stable_links() -> None:
    reader = Reader()
    reader.read(*stories(1, 2, 3, link=lambda n: f"http://www.paper.example/{n}"))
    reader.read(*stories(1, 2, 3))
    assert (reader.context.identity, reader.reading.oddities) == ("link", ())


def test_guids_that_number_the_places_of_a_feed_identify_nothing() -> None:
    reader = Reader()
    reader.read(*[story(n, guid=str(place)) for place, n in enumerate((4, 3, 2, 1))])
    reader.read(*[story(n, guid=str(place)) for place, n in enumerate((6, 5, 4, 3))])
    assert (reader.context.identity, reader.context.trusts_guids) == ("link", False)
    wholly_new = reader.ids(*[story(n, guid=str(place)) for place, n in enumerate((9, 8, 7))])
    assert reader.context.identity == "link"
    assert len(set(wholly_new)) == 3


@pytest.mark.parametrize(
    ("changes", "identity"),
    [
        ({}, "link"),
        ({"guid": lambda _: None}, "link"),
        ({"guid": lambda _: "same"}, "link"),
        ({"link": lambda _: "https://paper.example/all"}, "guid"),
        ({"link": lambda n: f"https://paper.example/all#{n}"}, "guid"),
        ({"link": lambda _: "https://paper.example/"}, "guid"),
        ({"link": lambda _: None}, "guid"),
        ({"link": lambda _: None, "guid": lambda n: "same" if n < 3 else "other"}, "text"),
        ({"link": lambda _: None, "guid": lambda _: None}, "text"),
        ({"link": lambda _: "https://paper.example/all", "guid": lambda _: "same"}, "text"),
    ],
)
def test_the_first_reading(changes: dict[str, Callable[[int], str | None]], identity: str) -> None:
    reader = Reader()
    assert len(set(reader.ids(*stories(1, 2, 3, 4, **changes)))) == 4
    assert reader.context.identity == identity


def test_a_single_entry_tells_nothing_of_the_others() -> None:
    reader = Reader()
    (alone,) = reader.ids(story(1, link=None))
    assert reader.context.identity is None
    assert alone in reader.ids(*stories(1, 2, link=lambda _: None))
    assert reader.context.identity == "guid"


def test_an_entry_without_a_link_of_its_own_has_its_guid() -> None:
    items = [*stories(1, 2, 3), *stories(4, 5, link=lambda _: "https://paper.example/live")]
    reader = Reader()
    assert len(set(reader.ids(*items))) == 5
    assert reader.context.identity == "link"
    assert [(one.code, one.entries) for one in reader.reading.oddities] == [("link_shared", 2)]


def test_versions_of_an_entry_in_one_feed_are_one_article() -> None:
    first, second = Reader().ids(story(1), story(1, text="A newer text."))
    assert first == second


def keys(articles: list[Article]) -> list[int]:
    return [
        key
        for article in articles
        for key in exact_keys(
            classified(
                article.article_id,
                guid=article.guid,
                guid_scope=article.guid_scope,
                source=article.source,
                copy_key=None,
            )
        )
    ]


def test_a_guid_of_several_entries_makes_no_copies_of_them() -> None:
    assert keys(Reader().read(*stories(1, 2, 3, guid=lambda _: "same"))) == []
    some = Reader().read(*stories(1, 2, guid=lambda _: "same"), *stories(3, 4, 5))
    assert len(keys(some)) == len(set(keys(some))) == 3


def test_an_entry_in_three_feeds_is_one_article() -> None:
    feeds = [Reader(f"https://paper.example/{name}") for name in ("news", "law", "all")]
    found = [
        feed.read(story(1), story(number), title=f"Paper: {number}")[0].article_id
        for number, feed in enumerate(feeds, start=2)
    ]
    assert len(set(found)) == 1


def test_a_feed_under_two_addresses_has_the_same_articles_whatever_its_name() -> None:
    items = stories(1, 2, 3, link=lambda _: None)
    plain, named = Reader(), Reader("https://proxy.example/paper", name="The Paper", tags=["uk"])
    assert plain.ids(*items) == named.ids(*items)
    (article, *_), (other, *_) = named.read(*items), plain.read(*items)
    assert (article.source, article.tags, other.source) == ("The Paper", ("uk",), "Paper")
    assert keys([article]) == keys([other])


def test_a_language_that_is_configured_is_stated_and_one_of_the_feed_is_a_hint() -> None:
    (article,) = Reader(language="pl").read(story(1))
    assert (article.language, article.language_hint) == ("pl", None)
    (dated,) = Reader(language="pl").read(story(1, date="5 lis 2026"))
    assert dated.published_at.month == 11


def test_what_is_set_by_hand_stays() -> None:
    reader = Reader(identity="guid", identity_fixed=True)
    before = reader.ids(*stories(1, 2, 3))
    assert reader.reading.identity_found == "it was set by hand"
    changed = stories(1, 2, 3, guid=lambda n: f"other-{n}")
    reader.read(*changed)
    assert reader.context.identity == "guid"
    assert reader.ids(*stories(1, 2, 3)) == before


ITEMS = st.builds(
    story,
    st.integers(1, 4),
    st.sampled_from(["Story", "Other", "Third"]),
    link=st.sampled_from([None, "https://paper.example/"])
    | st.sampled_from("abcd").map("https://paper.example/{}".format),
    guid=st.sampled_from([None, *"abcd"]),
    text=st.sampled_from(["", "One.", "Two."]),
)


@settings(deadline=None)
@given(st.lists(st.lists(ITEMS, max_size=6), min_size=2, max_size=6))
def test_the_identity_of_a_feed_never_goes_back(readings: list[list[Item]]) -> None:
    reader = Reader()
    found = []
    for items in readings:
        reader.read(*items)
        found.append((ORDER.index(reader.context.identity), not reader.context.trusts_guids))
    for (earlier, distrusted), (later, distrusts) in pairwise(found):
        assert later >= earlier
        assert distrusts >= distrusted
