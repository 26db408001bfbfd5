"""How records are encoded where they cross a shuffle."""

from typing import Any

from apache_beam import coders

from transforms import records


class RecordCoder(coders.Coder):
    """A record as compact JSON: deterministic, and readable from any language.

    Beam's own choice for a pydantic model is pickle, which is slower, larger and
    not deterministic.
    """

    def __init__(self, record_type: type[records.Record]) -> None:
        self._record_type = record_type

    def encode(self, value: records.Record) -> bytes:
        return value.__pydantic_serializer__.to_json(value)

    def decode(self, encoded: bytes) -> records.Record:
        return self._record_type.model_validate_json(encoded)

    def is_deterministic(self) -> bool:
        return True

    def to_type_hint(self) -> type[records.Record]:
        return self._record_type

    @classmethod
    def from_type_hint(cls, typehint: Any, _registry: Any) -> "RecordCoder":
        return cls(typehint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordCoder) and self._record_type is other._record_type

    def __hash__(self) -> int:
        return hash((RecordCoder, self._record_type))


def register(record_type: type[records.Record]) -> None:
    """Make Beam use a `RecordCoder` for *record_type*."""
    coders.registry.register_coder(record_type, RecordCoder)


for _record in (
    records.RawDocument,
    records.FeedReading,
    records.Entry,
    records.Article,
    records.FreshArticle,
    records.ClassifiedArticle,
    records.StoryArticle,
    records.Outline,
    records.Answers,
    records.Story,
    records.ToldArticle,
    records.Alert,
    records.SeenArticles,
    records.SeenAgain,
    records.ToldChange,
    records.AlertChange,
    records.ThemeCount,
    records.ThemePair,
    records.QueryTotal,
    records.DeadLetter,
):
    register(_record)
