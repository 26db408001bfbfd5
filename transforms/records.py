"""The records that travel through the pipeline and that its files hold.

All are frozen pydantic models that forbid unknown fields. Times are aware
`datetime`s in UTC. Offsets are character (code point) offsets, end exclusive,
into the field of the article that they name.
"""

from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from transforms.errors import Reason

SCHEMA_VERSION: Final = "1"

Format = Literal["json", "text", "html", "feed"]
Markup = Literal["plain", "html", "unknown"]
TimeFrom = Literal["feed", "file", "page", "reading"]
Level = Literal["mention", "focus"]
TextField = Literal["title", "text"]
Stage = Literal["read", "parse", "normalise", "classify"]
Change = Literal["gained_theme", "rose_to_focus", "lost_ground"]
Cause = Literal["text_edited", "theme_corrected"]
Identity = Literal["link", "guid", "text"]
FullText = Literal["page", "failed"]
OddityCode = Literal[
    "guid_shared",
    "guid_changes",
    "link_shared",
    "link_missing",
    "link_changes",
    "link_relative",
    "undated",
    "dated_ahead",
    "untitled",
    "html_in_title",
    "misdeclared_encoding",
]


class Record(BaseModel):
    """Base of all records."""

    # Bytes that are no text must survive JSON too.
    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )


class Origin(Record):
    """Where an item was read, exactly enough to read it again."""

    path: str = Field(description="The file as the input pattern named it, or an URL.")
    offset: int | None = Field(
        default=None,
        description="Byte offset in the decompressed file: JSON Lines and JSON arrays.",
    )
    record: int | None = Field(default=None, description="Record number from 1: tables.")
    entry: int | None = Field(default=None, description="Entry number from 1: feeds.")


class Page(Record):
    """The page that an entry of a feed links to, or why it could not be had."""

    url: str = Field(description="The canonical link of the entry.")
    payload: bytes | None = None
    encoding: str | None = Field(default=None, description="What a header declared.")
    error: str | None = Field(default=None, description="A sentence, where there is no payload.")


class Mark(Record):
    """What is kept of an entry to tell in the next reading what of it has changed.

    Hashes of 48 bits; 0 stands for nothing.
    """

    guid: int
    link: int = Field(description="Of the canonical link, without its scheme.")
    text: int = Field(description="Of title and text as the feed gave them.")
    time: int | None = Field(description="Its date, in seconds since 1970.")


class FeedContext(Record):
    """What a run knows of a feed before it is read."""

    url: str = Field(description="As it was configured.")
    base_url: str = Field(description="Where it was found in the end.")
    name: str | None = Field(default=None, description="Stands for what entries give as source.")
    language: str | None = Field(default=None, description="As its owner states it.")
    tags: tuple[str, ...] = ()
    identity: Identity | None = Field(
        default=None, description="What identifies its entries; None where that is to be found."
    )
    identity_fixed: bool = Field(
        default=False, description="Whether that was set by hand, and no evidence changes it."
    )
    trusts_guids: bool = Field(default=True, description="What the last reading said of that.")
    known: tuple[Mark, ...] = Field(default=(), description="The marks of the last reading.")
    full_text: bool = Field(
        default=False, description="Whether texts are taken from the linked pages."
    )
    pages: tuple[Page, ...] = Field(default=(), description="Those that were fetched for that.")


class RawDocument(Record):
    """One document as it was read: a line, a row as JSON, a page, a whole feed."""

    origin: Origin
    format: Format
    payload: bytes
    encoding: str | None = Field(
        default=None, description="What a byte order mark or a header declared; None where unknown."
    )
    seen_at: datetime = Field(description="When the monitor could first have known of it.")
    feed: FeedContext | None = Field(
        default=None, description="Of a feed that was fetched from the network."
    )


class Oddity(Record):
    """Something about a feed that its publisher should know, or its reader."""

    code: OddityCode
    entries: int = Field(description="How many entries show it; 0 where it is no matter of them.")


class FeedReading(Record):
    """What one reading of a feed found, its entries left out."""

    url: str = Field(description="As it was configured.")
    format: str = Field(description="rss20, rss10, atom10, json11 and so on; empty where unknown.")
    title: str
    entries: int = Field(description="How many were read.")
    ttl_minutes: int | None = Field(description="How long it asks to be left alone.")
    skip_hours: tuple[int, ...] = Field(description="Hours in UTC in which it is not renewed.")
    skip_days: tuple[str, ...] = Field(description="Monday and so on, in UTC.")
    identity: Identity | None = Field(
        description="What identifies its entries; None where too few were seen to tell."
    )
    identity_found: str = Field(description="Why, in a sentence.")
    trusts_guids: bool = Field(description="Whether equal guids mean the same entry.")
    marks: tuple[Mark, ...] = Field(description="Of the first 1,000 entries.")
    error: tuple[Reason, str] | None = Field(
        description="What was broken, as in a dead letter; what could be read counts all the same."
    )
    oddities: tuple[Oddity, ...]


class Entry(Record):
    """What a document says of one article, as it says it: nothing is cleaned yet."""

    origin: Origin
    seen_at: datetime
    title: str = ""
    text: str = ""
    markup: Markup = "unknown"
    url: str | None = None
    base_url: str | None = None
    guid: str | None = None
    published: str | None = Field(default=None, description="The raw date.")
    updated: str | None = Field(default=None, description="The raw date of the last change.")
    date_from: TimeFrom = "file"
    language: str | None = Field(default=None, description="The declared language.")
    stated_language: str | None = Field(
        default=None, description="The language as the configuration states it."
    )
    source: str | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    identity: Identity | None = Field(
        default=None, description="What identifies it; what it lacks of that, the next one does."
    )
    guid_scope: str | None = Field(
        default=None, description="What its guid is unique in, where that is not its source."
    )
    edited: bool | None = Field(
        default=None,
        description="Whether the feed said something else of it before; None where unknown.",
    )
    full_text: FullText | None = None
    page_title: str = Field(default="", description="The title of the page that it links to.")
    page_text: str = Field(default="", description="The plain text of that page.")


class Article(Record):
    """One cleaned article: the unit that is classified."""

    article_id: str = Field(description="Hash of what identifies it: URL, guid or text.")
    url: str | None = Field(description="The link as it was given, made absolute.")
    canonical_url: str | None = Field(description="The link without trackers and fragment.")
    guid: str | None
    title: str
    text: str = Field(description="Plain text, NFC, one line a paragraph.")
    language: str | None = Field(
        description="ISO 639 code that its owner states; None where the text must tell."
    )
    language_hint: str | None = Field(
        default=None, description="What a feed or page declares, which breaks ties."
    )
    published_at: datetime
    published_from: TimeFrom = Field(description="Where published_at was found.")
    published_raw: str | None = Field(description="The date as the document gave it.")
    updated_at: datetime | None
    seen_at: datetime
    source: str = Field(description="Who published it: a name, else the host, else the file.")
    authors: tuple[str, ...]
    origin: Origin
    tags: tuple[str, ...] = Field(default=(), description="Of the feed it came in.")
    guid_scope: str | None = Field(
        default=None, description="What its guid is unique in, where that is not its source."
    )
    full_text: FullText | None = Field(
        default=None,
        description="page: the text was taken from the linked page; failed: it could not be.",
    )
    edited: bool | None = Field(
        default=None,
        description="Whether the feed said something else of it before; None where unknown.",
    )
    version_hash: str | None = Field(
        default=None,
        description="By what its versions are told apart, where that is not the text hash: "
        "the text hash of what the feed itself said.",
    )


class KnownArticle(Record):
    """What earlier runs knew of an article."""

    article_id: str
    text_hash: str = Field(description="Of its version; the first 32 hex digits.")
    published_at: datetime = Field(description="Its first date, which it keeps.")
    published_from: TimeFrom
    last_seen_at: datetime
    story_id: str | None = Field(default=None, description="None where it never had a theme.")
    levels: dict[str, Level] = Field(default={}, description="The themes it had last.")
    themes: str | None = Field(
        default=None, description="Hash of the themes that it was last classified by."
    )


class FreshArticle(Record):
    """An article that earlier runs did not see, or saw in another version."""

    article: Article
    text_hash: str = Field(description="SHA-256 of title, a line feed and text in UTF-8.")
    known: KnownArticle | None


class Evidence(Record):
    """Words in an article that made a query match, and the sentence they stand in."""

    query: str = Field(description="Id of the query in its theme.")
    words: str = Field(description="Exactly what stands at start:end.")
    field: TextField
    start: int
    end: int
    sentence: str = Field(description="The whole sentence around the words.")


class QueryCount(Record):
    """How often one query matched in one article."""

    query: str
    matches: int


class ThemeHit(Record):
    """A theme that an article speaks of."""

    theme: str
    score: float
    level: Level = Field(description="focus: the article is about it; mention: it touches it.")
    evidence: Annotated[tuple[Evidence, ...], Field(min_length=1)]
    queries: tuple[QueryCount, ...] = Field(description="All queries that matched, by id.")


class ClassifiedArticle(Record):
    """An article without its text: what travels after classification."""

    article_id: str
    url: str | None
    canonical_url: str | None
    guid: str | None
    title: str
    language: str = Field(description="ISO 639 code in lower case; 'und' where unknown.")
    published_at: datetime
    published_from: TimeFrom
    published_raw: str | None
    updated_at: datetime | None
    seen_at: datetime
    source: str
    authors: tuple[str, ...]
    origin: Origin
    text_hash: str = Field(description="SHA-256 of title, a line feed and text in UTF-8.")
    copy_key: str | None = Field(
        description="Equal for exact copies of one text; None where there are no hits."
    )
    signature: bytes | None = Field(
        description="MinHash signature of title and text; None where there are no hits."
    )
    words: int = Field(description="Words in title and text, split at white space.")
    hits: tuple[ThemeHit, ...]
    known: KnownArticle | None = Field(description="What earlier runs knew of it.")
    tags: tuple[str, ...] = ()
    guid_scope: str | None = None
    full_text: FullText | None = None
    version_hash: str | None = None

    @property
    def version(self) -> str:
        """By what this version of the article is told from others."""
        return self.version_hash or self.text_hash

    @property
    def counts_for_stories(self) -> bool:
        """Whether it has a theme, or had one."""
        return bool(self.hits) or (self.known is not None and self.known.story_id is not None)


class StoryArticle(Record):
    """An article as its story knows it: who told it, when, and on which themes."""

    article_id: str
    source: str
    published_at: datetime
    published_from: TimeFrom
    seen_at: datetime
    levels: dict[str, Level] = Field(description="The level of each theme that it has.")


class KnownAlert(Record):
    """The state of the alert of one theme and story after earlier runs."""

    alert_id: str = Field(description="Of the first alert, which later ones refer to.")
    theme: str
    level: Level
    article_id: str = Field(description="The article whose evidence stands for the story.")
    cancelled: bool = False


class KnownStory(Record):
    """A story that earlier runs told."""

    story_id: str
    sequence: int = Field(description="Number of the run that told it first.")
    articles: tuple[StoryArticle, ...] = Field(description="By article_id.")
    alerts: tuple[KnownAlert, ...] = Field(description="By theme.")


class Candidate(Record):
    """An article of an earlier run that shares a key with one of this run."""

    key: int
    article_id: str
    story_id: str
    signature: bytes


class Answers(Record):
    """What the ledger said of stories in a run: kept with the run, for a replay."""

    candidates: tuple[Candidate, ...]
    stories: tuple[KnownStory, ...]


class Outline(Record):
    """An article of this run as stories are formed from it."""

    article: StoryArticle
    text_hash: str = Field(description="Of its version; the first 32 hex digits.")
    signature: bytes
    exact_keys: tuple[int, ...] = Field(description="What exact copies of it share.")
    known: KnownArticle | None


class Decision(Record):
    """What is to be said of one theme of one story in this run, and by which article."""

    theme: str
    kind: Literal["alert", "update", "cancel"]
    alert_id: str
    refers_to: str | None = None
    change: Change | None = None
    cause: Cause | None = None
    article_id: str = Field(description="The article whose evidence stands for the story.")


class Story(Record):
    """Articles that are copies or near-copies of one another, those of earlier runs included."""

    story_id: str
    lead: StoryArticle = Field(description="Earliest published; ties by article_id.")
    others: tuple[StoryArticle, ...] = Field(description="In the same order, without the lead.")
    decisions: tuple[Decision, ...] = Field(description="By theme.")

    @property
    def articles(self) -> tuple[StoryArticle, ...]:
        """The lead and the others."""
        return (self.lead, *self.others)


class ToldArticle(Record):
    """An article with a theme, and the story that it tells."""

    article: ClassifiedArticle
    story: Story


class AlertArticle(Record):
    """The article that an alert's evidence stands in."""

    article_id: str
    url: str | None
    title: str
    source: str
    language: str
    authors: tuple[str, ...]
    published_at: datetime
    published_from: TimeFrom
    seen_at: datetime
    text_hash: str
    origin: Origin
    tags: tuple[str, ...] = Field(default=(), description="Of the feed it came in.")
    full_text: FullText | None = Field(
        default=None,
        description="page: the text was taken from the linked page; failed: it could not be.",
    )


class AlertStory(Record):
    """The story behind an alert."""

    story_id: str
    articles: int = Field(description="How many articles tell it, copies included.")
    sources: tuple[str, ...] = Field(description="Who published it, sorted.")
    article_ids: tuple[str, ...] = Field(description="All of them, the lead first.")


class CodeSet(Record):
    """A theme in another vocabulary."""

    version: str = Field(min_length=1, description="Of the vocabulary that the codes are from.")
    codes: tuple[str, ...] = Field(min_length=1)


class Alert(Record):
    """One theme found in one story: one alert for both, whatever the runs, unless marked.

    The kinds mean what they mean in the Common Alerting Protocol 1.2: an `update`
    supersedes the alert that it refers to, a `cancel` takes it back.
    """

    schema_version: Literal["1"] = SCHEMA_VERSION
    alert_id: str = Field(
        description="Hash of theme and story_id; of an update or cancel also of what made it."
    )
    kind: Literal["alert", "update", "cancel"] = "alert"
    refers_to: str | None = Field(
        default=None, description="The alert_id that an update or cancel is about."
    )
    change: Change | None = Field(
        default=None, description="What an update or cancel is made for; None for an alert."
    )
    cause: Cause | None = Field(default=None, description="What brought the change about.")
    theme: str
    theme_version: str = Field(description="Hash of what the theme file means.")
    codes: dict[str, CodeSet] = Field(
        description="The theme in other vocabularies, by the vocabulary's name."
    )
    level: Level = Field(description="Of a cancel: the level that is taken back.")
    score: float
    backfill: bool = Field(description="It was old when it was first seen: do not page anybody.")
    story: AlertStory
    article: AlertArticle = Field(
        description="The story's earliest article that has the theme at the alert's level; "
        "of an update or cancel the article that changed."
    )
    evidence: tuple[Evidence, ...] = Field(description="Empty for a cancel, and for nothing else.")

    @model_validator(mode="after")
    def _has_evidence(self) -> Self:
        if (self.kind == "cancel") == bool(self.evidence):
            raise ValueError("a cancel has no evidence, and all else has")
        return self


class BurstStory(Record):
    """A story behind a burst; title and link are those of its earliest article."""

    story_id: str
    title: str
    url: str | None
    sources: int = Field(description="How many published it.")


class Baseline(Record):
    """What was to be expected of an hour or day, by those like it before."""

    compared_with: Literal["weekday", "kind_of_day"] = Field(
        description="The same weekday; or working days, or weekends, where too few are known."
    )
    expected: float = Field(description="Stories.")
    low: int = Field(description="An ordinary one has from `low`")
    high: int = Field(description="to `high` stories, in all but one case in a hundred.")
    method: Literal["quasi_poisson_1"] = "quasi_poisson_1"


class BurstAlert(Record):
    """A theme was told more often in an hour or day than its own past lets expect.

    One alert for a bucket, theme and group, whatever the runs, unless marked by `change`.
    """

    schema_version: Literal["1"] = SCHEMA_VERSION
    alert_id: str = Field(
        description="Hash of theme, group and bucket; of a change also of what has changed."
    )
    kind: Literal["burst"] = "burst"
    refers_to: str | None = Field(
        default=None, description="The alert_id of the burst that has changed."
    )
    change: Literal["grew", "faded"] | None = Field(
        default=None,
        description="faded: it is none any more, by what was monitored since; None at first.",
    )
    theme: str
    by: Literal["source", "country", "language"] | None = Field(
        description="What the group is; None where all are counted together."
    )
    group: str | None
    bucket_start: datetime
    bucket_end: datetime = Field(description="Exclusive.")
    stories: int = Field(description="Distinct stories of the bucket.")
    monitored: int = Field(description="Articles, with a theme or without.")
    baseline: Baseline
    told: tuple[BurstStory, ...] = Field(
        description="Those that most sources tell; not all where there are many."
    )


class ThemeCount(Record):
    """How much was published on a theme in a span of time. One fact a row.

    A None in source or language means: all of them together.
    """

    bucket_start: datetime
    bucket_end: datetime = Field(description="Exclusive.")
    theme: str
    source: str | None
    language: str | None
    articles: int = Field(description="Copies included.")
    stories: int = Field(description="Distinct stories.")
    publishers: int = Field(description="Distinct hosts of links, or sources where there is none.")
    focus: int = Field(description="Articles at level focus.")
    mention: int = Field(description="Articles at level mention.")


class ThemePair(Record):
    """How often two themes stand in the same article; theme_a sorts before theme_b."""

    theme_a: str
    theme_b: str
    articles: int
    stories: int


class QueryTotal(Record):
    """How often one query of a theme matched."""

    theme: str
    query: str
    articles: int
    stories: int
    matches: int


class ThemeSummary(Record):
    """A theme of an article, in short."""

    theme: str
    level: Level
    score: float
    evidence: Evidence = Field(description="The best piece of it.")


class ArticleSummary(Record):
    """An article that has a theme, or had one, in short: what other systems are told of it."""

    article_id: str
    story_id: str
    url: str | None = Field(description="The link as it was given, made absolute.")
    title: str
    source: str
    language: str = Field(description="ISO 639 code in lower case; 'und' where unknown.")
    tags: tuple[str, ...] = Field(description="Of the feed it came in.")
    published_at: datetime = Field(description="Its first date, which it keeps.")
    updated_at: datetime | None
    seen_at: datetime = Field(description="When this version was first seen.")
    text_hash: str = Field(description="SHA-256 of title, a line feed and text in UTF-8.")
    themes: tuple[ThemeSummary, ...] = Field(
        description="By name; none where it has lost the last one."
    )


class MonitoredCount(Record):
    """How many articles were classified, with a theme or without: what shares are shares of."""

    bucket_start: datetime
    bucket_end: datetime = Field(description="Exclusive.")
    source: str
    language: str
    articles: int = Field(description="Copies included.")


class DeadLetter(Record):
    """An item that could not be used, and why."""

    stage: Stage
    reason: Reason
    detail: str
    origin: Origin
    excerpt: str = Field(description="The first part of what was read, printable.")


class SeenArticles(Record):
    """A change of the ledger: articles without a theme that are new or have changed.

    Columns of equal length.
    """

    change: Literal["seen"] = "seen"
    seen_at: datetime
    article_ids: tuple[str, ...]
    text_hashes: tuple[str, ...] = Field(description="The first 32 hex digits of each.")
    published: tuple[int, ...] = Field(description="First dates, in seconds since 1970.")
    published_from: tuple[TimeFrom, ...]


class SeenAgain(Record):
    """A change of the ledger: unchanged articles whose last sighting is to be put forward."""

    change: Literal["seen_again"] = "seen_again"
    seen_at: datetime
    article_ids: tuple[str, ...]


class ToldChange(Record):
    """A change of the ledger: an article with a theme, or that had one, is new or has changed."""

    change: Literal["told"] = "told"
    seen_at: datetime
    story_id: str
    article: StoryArticle
    text_hash: str = Field(description="The first 32 hex digits.")
    themes: str = Field(description="Hash of the themes that it was classified by.")
    signature: bytes
    keys: tuple[int, ...] = Field(description="What near and exact copies of it share.")
    known: KnownArticle | None = Field(
        default=None, description="What the ledger said of it before; for a replay."
    )


class AlertChange(Record):
    """A change of the ledger: the state of the alert of one theme and story."""

    change: Literal["alert"] = "alert"
    story_id: str
    alert: KnownAlert
