"""Identities. The hashes are stored by users: they never change."""

from transforms.logic.identity import article_id, copy_key, text_hash

LONG = "word " * 49 + "word"


def test_hashes_stay_as_they_are() -> None:
    assert article_id("https://x.org/a", "g", "S", "T", "x") == "180f3149fe9d0221a0afeab9beebf5e8a"
    assert copy_key("T", "x") == "1120040a60e09dcc85561bd7b34fea26a"
    assert text_hash("T", "x") == "f88a6430b8d9124a12716a8968239053193554deb7d5a9c55a4d6628bcf3f9d8"


def test_the_link_comes_first() -> None:
    link = "https://x.org/a"
    assert article_id(link, "1", "A", "T", "x") == article_id(link, "2", "B", "U", "y")


def test_a_front_page_identifies_nothing() -> None:
    root = "https://x.org/"
    assert article_id(root, "1", "A", "T", "x") != article_id(root, "2", "A", "T", "x")


def test_a_guid_counts_within_its_source() -> None:
    assert article_id(None, "post:1", "A", "T", "x") != article_id(None, "post:1", "B", "T", "x")


def test_a_global_guid_counts_everywhere() -> None:
    guid = "tag:x.org,2026:1"
    assert article_id(None, guid, "A", "T", "x") == article_id(None, guid, "B", "U", "y")


def test_long_copies_meet_under_any_title() -> None:
    assert copy_key("T", LONG) == copy_key("U", LONG)


def test_short_texts_meet_under_one_title_only() -> None:
    assert copy_key("T", "word") != copy_key("U", "word")


def test_identity_may_begin_with_the_guid_or_the_text() -> None:
    link = "https://x.org/a"
    assert article_id(link, "1", "A", "T", "x", "guid") == article_id(None, "1", "A", "U", "y")
    assert article_id(link, None, "A", "T", "x", "guid") == article_id(None, None, "B", "T", "x")
    assert article_id(link, "1", "A", "T", "x", "text") == article_id(None, None, "B", "T", "x")
