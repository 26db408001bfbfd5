"""What the fields of the documents are, as OpenSearch and Elasticsearch are told it."""

from typing import Any, Final

ANALYSERS: Final = {
    "ar": "arabic",
    "bg": "bulgarian",
    "bn": "bengali",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "gl": "galician",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "ja": "cjk",
    "ko": "cjk",
    "lt": "lithuanian",
    "lv": "latvian",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "th": "thai",
    "tr": "turkish",
    "zh": "cjk",
}
"""The analysers that both bring along, by language."""

_KEYWORD: Final = {"type": "keyword", "ignore_above": 8_000}  # a longer one is not searched by
_TEXT: Final = {"type": "text"}
_DATE: Final = {"type": "date"}
_NUMBER: Final = {"type": "long"}
_FLAG: Final = {"type": "boolean"}
_SCORE: Final = {"type": "double"}

_EVIDENCE: Final = {
    "query": _KEYWORD,
    "words": {"type": "text", "fields": {"exact": _KEYWORD}},
    "field": _KEYWORD,
    "start": _NUMBER,
    "end": _NUMBER,
    "sentence": _TEXT,
}
_ARTICLE: Final = {
    "article_id": _KEYWORD,
    "url": _KEYWORD,
    "title": _TEXT,
    "source": _KEYWORD,
    "language": _KEYWORD,
    "tags": _KEYWORD,
    "published_at": _DATE,
    "seen_at": _DATE,
    "text_hash": _KEYWORD,
}
_BY_LANGUAGE: Final = {
    "properties": {
        language: {
            "properties": {
                "title": {"type": "text", "analyzer": analyser},
                "sentences": {"type": "text", "analyzer": analyser},
            }
        }
        for language, analyser in ANALYSERS.items()
    }
}
_ALWAYS: Final = {"by_language": _BY_LANGUAGE, "run_id": _KEYWORD, "as_of": _DATE}

ALERTS: Final[dict[str, Any]] = {
    "mappings": {
        "dynamic": False,
        "properties": {
            "schema_version": _KEYWORD,
            "alert_id": _KEYWORD,
            "kind": _KEYWORD,
            "refers_to": _KEYWORD,
            "change": _KEYWORD,
            "cause": _KEYWORD,
            "theme": _KEYWORD,
            "theme_version": _KEYWORD,
            "codes": _KEYWORD,
            "level": _KEYWORD,
            "score": _SCORE,
            "backfill": _FLAG,
            "story": {
                "properties": {
                    "story_id": _KEYWORD,
                    "articles": _NUMBER,
                    "sources": _KEYWORD,
                    "article_ids": _KEYWORD,
                }
            },
            "article": {
                "properties": {
                    **_ARTICLE,
                    "authors": _KEYWORD,
                    "published_from": _KEYWORD,
                    "full_text": _KEYWORD,
                    "origin": {
                        "properties": {
                            "path": _KEYWORD,
                            "offset": _NUMBER,
                            "record": _NUMBER,
                            "entry": _NUMBER,
                        }
                    },
                }
            },
            "evidence": {"type": "nested", "properties": _EVIDENCE},
            **_ALWAYS,
        },
    }
}
ARTICLES: Final[dict[str, Any]] = {
    "mappings": {
        "dynamic": False,
        "properties": {
            **_ARTICLE,
            "story_id": _KEYWORD,
            "updated_at": _DATE,
            "themes": {
                "type": "nested",
                "properties": {
                    "theme": _KEYWORD,
                    "level": _KEYWORD,
                    "score": _SCORE,
                    "evidence": {"properties": _EVIDENCE},
                },
            },
            **_ALWAYS,
        },
    }
}
