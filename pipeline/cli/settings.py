"""The commands about what is set up: init, check, schema."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.base import app, plain_errors
from pipeline.cli.printing import print_json, print_table
from transforms.errors import ConfigError


class Schema(StrEnum):
    """What there is a JSON Schema of."""

    ALERT = "alert"
    ARTICLE = "article"
    AGGREGATE = "aggregate"
    BURST = "burst"
    DEAD_LETTER = "dead-letter"
    MANIFEST = "manifest"


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to put it.")],
) -> None:
    """Write an editable copy of the default configuration, its themes and its example feeds."""
    with plain_errors():
        from pipeline.config import default_config_dir

        source = default_config_dir()
        names = ["pipeline.yaml", "feeds.opml"]
        names += sorted(f"themes/{path.name}" for path in (source / "themes").glob("*.yaml"))
        taken = [str(folder / name) for name in names if (folder / name).exists()]
        if taken:
            raise ConfigError(*(f"{name}: is there already" for name in taken))
        try:
            for name in names:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes((source / name).read_bytes())
                typer.echo(f"wrote {folder / name}")
        except OSError as error:
            raise ConfigError(f"{folder}: {error.strerror}") from error
    typer.echo(f"Next: policywire run --config {folder / 'pipeline.yaml'} --input 'FILES'")


@app.command()
def check(
    config: Annotated[Path | None, typer.Argument(help="The configuration to check.")] = None,
) -> None:
    """Check the configuration and the themes, without reading anything else."""
    with plain_errors():
        from pipeline.config import load_config
        from transforms.logic.themes.matcher import ThemeMatcher

        loaded = load_config(config)
        ThemeMatcher(loaded.themes)
    rows = [
        (
            theme.theme,
            language or "all",
            sum(rule.language == language for rule in theme.rules),
            sum(example.language == language for example in theme.examples),
            f"{theme.thresholds.mention:g}",
            f"{theme.thresholds.focus:g}",
            theme.version,
        )
        for theme in loaded.themes
        for language in (None, *theme.languages)
    ]
    columns = ("theme", "language", "rules", "examples", "mention", "focus", "version")
    print_table(columns, rows)
    typer.echo(f"{loaded.path}: nothing is wrong")


@app.command()
def schema(name: Annotated[Schema, typer.Argument(help="What to describe.")]) -> None:
    """Print the JSON Schema of an output."""
    from pipeline.manifest import Manifest
    from transforms import records

    models: dict[Schema, type[records.Record]] = {
        Schema.ALERT: records.Alert,
        Schema.ARTICLE: records.ArticleSummary,
        Schema.AGGREGATE: records.ThemeCount,
        Schema.BURST: records.BurstAlert,
        Schema.DEAD_LETTER: records.DeadLetter,
        Schema.MANIFEST: Manifest,
    }
    described = models[name].model_json_schema(mode="serialization")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    print_json(head | {"$id": f"urn:policywire:{name.value}:{records.SCHEMA_VERSION}"} | described)
