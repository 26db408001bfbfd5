"""What docs/sinks.md says of webhooks, digests and what is selected for them is true."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter
from standardwebhooks import WebhookVerificationError

from pipeline.config import PipelineConfig
from pipeline.history import History
from pipeline.sinks.base import Delivery, SinkSettings
from pipeline.sinks.digest import DigestSettings
from pipeline.sinks.digest.settings import Route
from pipeline.sinks.selection import Selection
from pipeline.sinks.webhook import WebhookSettings
from tests.articles import told
from tests.sinks.made_runs import about, make_run
from tests.sinks.receiver import receiving
from tests.unit.test_docs import SINKS, Block, Table, bare, parts

SECRET = "whsec_" + "YQ" * 16


def tables(section: str, header: str) -> list[Table]:
    return [
        part
        for part in parts(SINKS)
        if isinstance(part, Table) and part.section == section and part.header[0] == header
    ]


def blocks(section: str, language: str) -> list[str]:
    return [
        part.content
        for part in parts(SINKS)
        if isinstance(part, Block) and part.section == section and part.language == language
    ]


@pytest.mark.parametrize(
    ("section", "number", "model"),
    [("Webhooks", 0, WebhookSettings), ("Digests", 0, DigestSettings), ("Digests", 1, Route)],
)
def test_all_settings_are_documented_with_their_defaults(
    section: str, number: int, model: type[BaseModel]
) -> None:
    said = tables(section, "field")[number].dicts()
    own = [name for name in model.model_fields if name not in SinkSettings.model_fields]
    if not issubclass(model, SinkSettings):
        own = list(model.model_fields)
    assert [bare(row["field"]) for row in said] == own
    for row in said:
        field, default = model.model_fields[bare(row["field"])], bare(row["default"])
        if field.is_required():
            assert default == "required"
            continue
        written: Any = yaml.safe_load(default)
        kind: Any = field.rebuild_annotation()
        assert TypeAdapter(kind).validate_python(written) == field.default, row["field"]


def test_all_fields_of_a_selection_are_documented() -> None:
    (said,) = tables("Which alerts", "field")
    assert said.column() == list(Selection.model_fields)


@pytest.mark.parametrize("section", ["Webhooks", "Digests"])
def test_examples_are_configurations(section: str) -> None:
    (example,) = blocks(section, "yaml")
    config = PipelineConfig.model_validate(yaml.safe_load(example))
    assert len(config.sinks) == 1


def test_the_receiver_that_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = blocks("Webhooks", "python")
    shown: dict[str, Any] = {}
    exec(example, shown)  # noqa: S102 # it is our own
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    run = make_run(tmp_path / "out", told(about(1)))
    with receiving() as receiver:
        settings = WebhookSettings.model_validate(
            {
                "kind": "webhook",
                "name": "hook",
                "url": receiver.url(),
                "secrets": ["$HOOK_SECRET"],
                "allow_private": ["127.0.0.1"],
            }
        )
        webhook = settings.open(tmp_path)
        for _ in range(2):
            history = History(tmp_path / "out")
            webhook.deliver(Delivery(run, "", history, "", lambda _: None))
        webhook.close()
    first, second = receiver.posted
    known: set[str] = set()
    (alert,) = shown["new_alerts"](SECRET, dict(first.headers), first.body, known)
    assert alert["article"]["title"] == "Law 1"
    assert shown["new_alerts"](SECRET, dict(second.headers), second.body, known) == []
    with pytest.raises(WebhookVerificationError):
        shown["new_alerts"](SECRET, dict(first.headers), first.body + b" ", known)
    (event,) = json.loads(first.body)
    (attributes,) = tables("Webhooks", "attribute")
    assert set(attributes.column()) == set(event) - {"specversion", "datacontenttype"}
