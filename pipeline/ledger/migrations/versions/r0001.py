"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

_LONG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_SHORT = sa.SmallInteger().with_variant(sa.Integer, "sqlite")
_FLAG = sa.Boolean().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "articles",
        sa.Column("number", _LONG, sa.Identity(), primary_key=True),
        sa.Column("article_id", sa.LargeBinary, nullable=False),
        sa.Column("text_hash", sa.LargeBinary, nullable=False),
        sa.Column("published_at", _LONG, nullable=False),
        sa.Column("published_from", _SHORT, nullable=False),
        sa.Column("last_seen_at", _LONG, nullable=False),
        sa.UniqueConstraint("article_id"),
        sqlite_strict=True,
    )
    op.create_index("articles_last_seen_at_idx", "articles", ["last_seen_at"])
    op.create_table(
        "stories",
        sa.Column("story_id", sa.LargeBinary, primary_key=True),
        sa.Column("sequence", _LONG, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "told",
        sa.Column(
            "number",
            _LONG,
            sa.ForeignKey("articles.number"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("story_id", sa.LargeBinary, sa.ForeignKey("stories.story_id"), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("seen_at", _LONG, nullable=False),
        sa.Column("levels", sa.Text, nullable=False),
        sa.Column("themes", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("keys", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("told_story_id_idx", "told", ["story_id"])
    op.create_table(
        "keys",
        sa.Column("key", _LONG, primary_key=True, autoincrement=False),
        sa.Column("number", _LONG, primary_key=True, autoincrement=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alerts",
        sa.Column("story_id", sa.LargeBinary, sa.ForeignKey("stories.story_id"), primary_key=True),
        sa.Column("theme", sa.Text, primary_key=True),
        sa.Column("alert_id", sa.LargeBinary, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("article_id", sa.LargeBinary, nullable=False),
        sa.Column("cancelled", _FLAG, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("sequence", _LONG, nullable=False),
        sa.Column("as_of", _LONG, nullable=False),
        sa.UniqueConstraint("sequence"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "feeds",
        sa.Column("url", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("updated_at", _LONG, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
