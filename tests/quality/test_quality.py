"""How well the default themes find what they should: floors that only rise."""

from pathlib import Path

import pytest

from pipeline.config import load_config
from pipeline.evaluate import Evaluation, evaluate, read_labelled
from transforms.logic.themes.matcher import ThemeMatcher

ROOT = Path(__file__).parent.parent.parent
BBC = ROOT.parent / "shared" / "data" / "bbc_dev.jsonl.gz"


def measured(path: Path) -> Evaluation:
    loaded = load_config(ROOT / "configs" / "pipeline.yaml")
    names = [theme.theme for theme in loaded.themes]
    articles = read_labelled(path, frozenset(names))
    return evaluate(articles, names, ThemeMatcher(loaded.themes).hits)


@pytest.mark.skipif(not BBC.exists(), reason="the labelled articles are not here")
def test_real_articles_of_one_broadcaster() -> None:
    result = measured(BBC)
    wrong = [(item.theme, item.kind, item.article) for item in result.wrong]
    assert result.themes["migration"].f1 >= 0.97, wrong
    assert [item for item in wrong if item[:2] == ("organised_crime", "missed")] == []
    assert [item for item in wrong if item[:2] == ("organised_crime", "false alarm")] == []
    assert [item for item in wrong if item[0] == "encryption"] == []
