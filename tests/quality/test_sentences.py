"""How well the default themes find what one sentence says, and keep silent over ordinary news.

A single sentence has few words to go by: these are harder than articles, and say nothing of levels.
"""

from functools import cache
from pathlib import Path

import pytest

from pipeline.config import load_config
from pipeline.evaluate import evaluate, read_labelled
from transforms.logic.themes.matcher import ThemeMatcher

ROOT = Path(__file__).parent.parent.parent
SENTENCES = Path(__file__).parent / "sentences"

# Precision and recall over all themes that may not be undercut: floors that only rise.
FLOORS = {
    "de": (0.98, 0.97),
    "es": (0.98, 0.93),
    "fr": (0.98, 0.93),
    "it": (0.98, 0.96),
    "pl": (0.98, 0.95),
}


@cache
def matcher() -> ThemeMatcher:
    return ThemeMatcher(load_config(ROOT / "configs" / "pipeline.yaml").themes)


@pytest.mark.parametrize("language", FLOORS)
def test_sentences_of_each_language(language: str) -> None:
    names = ["encryption", "migration", "organised_crime"]
    sentences = list(read_labelled(SENTENCES / f"{language}.jsonl", frozenset(names)))
    result = evaluate(sentences, names, matcher().hits)
    mistakes = [(wrong.article, wrong.theme, wrong.kind) for wrong in result.wrong]
    precision, recall = FLOORS[language]
    assert result.micro.precision >= precision, mistakes
    assert result.micro.recall >= recall, mistakes
    assert sum(not sentence.themes for sentence in sentences) >= 40
