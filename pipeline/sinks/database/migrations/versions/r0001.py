"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

_LONG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True)
_LIST = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Make them."""
    schema: str | None = context.config.attributes["schema"]
    prefix: str = context.config.attributes["prefix"]

    def create(name: str, *columns: sa.Column[Any]) -> None:
        op.create_table(f"{prefix}{name}", *columns, schema=schema)

    def owned_by(name: str, column: str) -> sa.ForeignKey:
        place = ".".join(filter(None, [schema, f"{prefix}{name}", column]))
        return sa.ForeignKey(place, ondelete="CASCADE")

    def index(name: str, column: str) -> None:
        table = f"{prefix}{name}"
        op.create_index(f"{table}_{column}_idx", table, [column], schema=schema)

    create(
        "runs",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("sequence", _LONG, nullable=False),
        sa.Column("as_of", _TIME, nullable=False),
        sa.Column("finished_at", _TIME, nullable=False),
        sa.Column("items_read", _LONG, nullable=False),
        sa.Column("classified", _LONG, nullable=False),
        sa.Column("duplicates", _LONG, nullable=False),
        sa.Column("already_seen", _LONG, nullable=False),
        sa.Column("dead_letters", _LONG, nullable=False),
    )
    create(
        "alerts",
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("refers_to", sa.Text),
        sa.Column("change", sa.Text),
        sa.Column("cause", sa.Text),
        sa.Column("theme", sa.Text, nullable=False),
        sa.Column("theme_version", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("backfill", sa.Boolean, nullable=False),
        sa.Column("story_id", sa.Text, nullable=False),
        sa.Column("story_articles", _LONG, nullable=False),
        sa.Column("story_sources", _LIST, nullable=False),
        sa.Column("article_id", sa.Text, nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("authors", _LIST, nullable=False),
        sa.Column("tags", _LIST, nullable=False),
        sa.Column("published_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("text_hash", sa.Text, nullable=False),
        sa.Column("as_of", _TIME, nullable=False),
        sa.Column("sequence", _LONG, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
    )
    index("alerts", "story_id")
    index("alerts", "published_at")
    create(
        "evidence",
        sa.Column("alert_id", sa.Text, owned_by("alerts", "alert_id"), primary_key=True),
        sa.Column("number", _LONG, primary_key=True),
        sa.Column("theme", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("starts", _LONG, nullable=False),
        sa.Column("ends", _LONG, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("published_at", _TIME, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
    )
    create(
        "articles",
        sa.Column("article_id", sa.Text, primary_key=True),
        sa.Column("story_id", sa.Text, nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("tags", _LIST, nullable=False),
        sa.Column("published_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("text_hash", sa.Text, nullable=False),
        sa.Column("sequence", _LONG, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
    )
    index("articles", "story_id")
    index("articles", "published_at")
    create(
        "article_themes",
        sa.Column("article_id", sa.Text, owned_by("articles", "article_id"), primary_key=True),
        sa.Column("theme", sa.Text, primary_key=True),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("starts", _LONG, nullable=False),
        sa.Column("ends", _LONG, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("published_at", _TIME, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
    )
    index("article_themes", "theme")
    create(
        "stories",
        sa.Column("story_id", sa.Text, primary_key=True),
        sa.Column("articles", _LONG, nullable=False),
        sa.Column("sources", _LONG, nullable=False),
        sa.Column("languages", _LIST, nullable=False),
        sa.Column("lead_article_id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("first_published_at", _TIME, nullable=False),
        sa.Column("last_published_at", _TIME, nullable=False),
    )
    create(
        "counts",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("theme", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("language", sa.Text, primary_key=True),
        sa.Column("articles", _LONG, nullable=False),
        sa.Column("stories", _LONG, nullable=False),
        sa.Column("publishers", _LONG, nullable=False),
        sa.Column("focus", _LONG, nullable=False),
        sa.Column("mention", _LONG, nullable=False),
    )
    index("counts", "day")
    create(
        "monitored",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("language", sa.Text, primary_key=True),
        sa.Column("articles", _LONG, nullable=False),
    )
    index("monitored", "day")
    create(
        "dead_letters",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("number", _LONG, primary_key=True),
        sa.Column("as_of", _TIME, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("byte_offset", _LONG),
        sa.Column("record_number", _LONG),
        sa.Column("entry_number", _LONG),
        sa.Column("excerpt", sa.Text, nullable=False),
    )
