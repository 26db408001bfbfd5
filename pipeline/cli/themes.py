"""The commands for those who write themes: test, lint, suggest, diff, parity, import."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.base import FAILED, ConfigOption, JsonOption, app, plain_errors
from pipeline.cli.printing import counted, print_json, print_table, short
from transforms.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.config import LoadedConfig
    from pipeline.themes.diff import ThemesDiff
    from pipeline.themes.examples import Coverage, ExampleResult
    from pipeline.themes.imported import Importing
    from pipeline.themes.sample import Sample
    from transforms.logic.themes.explanation import ThemeExplanation
    from transforms.logic.themes.model import Theme

themes_app = typer.Typer(
    help="Write themes: try them, compare them, take them over.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(themes_app, name="themes")

ThemesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[THEME]...", help="Only these themes.")
]
OnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--on", help="Glob of files, or folder of a run, to try them on; may be given again."
    ),
]


class From(StrEnum):
    """Whose rules are imported."""

    GDELT = "gdelt"
    EMM = "emm"
    BRANDWATCH = "brandwatch"


@themes_app.command("test")
def try_examples(
    themes: ThemesArgument = None, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Say whether the themes find what their examples say, and nothing else."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.themes.examples import check_examples, coverage

        chosen = _chosen(load_config(config), themes)
        tested = list(check_examples(chosen))
    rows = coverage(chosen, tested)
    failed = [one for one in tested if not one.passed]
    if as_json:
        print_json(
            {
                "coverage": [row._asdict() | {"is_thin": row.is_thin} for row in rows],
                "failed": [_example_as_json(one) for one in failed],
                "seen_otherwise": [
                    _example_as_json(one) for one in tested if one.is_seen_otherwise
                ],
            }
        )
    else:
        _print_tested(tested, rows)
    if failed:
        raise typer.Exit(FAILED)


def _print_tested(tested: "Sequence[ExampleResult]", rows: "Sequence[Coverage]") -> None:
    from pipeline.console import printable

    for one in tested:
        if not one.passed:
            wanted, found = one.example.level or "no hit", one.level or "no hit"
            name = _part(one.theme, one.example.language)
            typer.echo(f"{name}: {found}, not {wanted}: {short(_words_of(one))}")
            if one.explanation:
                for line in _why(one.explanation):
                    typer.echo(printable(f"  {line}"))
    table = [(row.theme, row.language or "all", row.examples, row.passed) for row in rows]
    print_table(("theme", "language", "examples", "passed"), table)
    for one in tested:
        if one.is_seen_otherwise:
            name = _part(one.theme, one.example.language)
            typer.echo(f"hint: {name}: read as {one.seen_as}: {short(_words_of(one))}")
    for row in rows:
        if row.is_thin and row.language:
            few = counted(row.examples, "example")
            typer.echo(f"hint: {_part(row.theme, row.language)}: only {few}; 40 say more")


def _why(explained: "ThemeExplanation") -> Iterator[str]:
    """What made the score, and what nearly did."""
    yield (
        f"score {explained.score:g} (mention from {explained.mention:g}, focus from "
        f"{explained.focus:g})"
    )
    for rule in explained.queries:
        if words := ", ".join(dict.fromkeys(match.words for match in rule.matches)):
            yield f"{rule.points:+g}  {rule.query}: {words}"
        for miss in rule.near_misses:
            yield f"nearly: {rule.query}: {miss}"
    for miss in explained.near_misses:
        yield f"nearly: {miss}"


def _words_of(one: "ExampleResult") -> str:
    return one.example.title or one.example.text


def _part(theme: str, language: str | None) -> str:
    return f"{theme}.{language}" if language else theme


def _example_as_json(one: "ExampleResult") -> dict[str, Any]:
    return {
        "theme": one.theme,
        "language": one.example.language,
        "title": one.example.title,
        "text": one.example.text,
        "wanted": one.example.level,
        "found": one.level,
        "seen_as": one.seen_as,
        "explanation": one.explanation and one.explanation.model_dump(mode="json"),
    }


@themes_app.command("lint")
def lint(
    themes: ThemesArgument = None,
    on: OnOption = None,
    too_broad: Annotated[
        float, typer.Option(min=0, max=100, help="Percent of articles that are too many.")
    ] = 20,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Point at rules that do nothing, or too much."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.themes.lint import PROBLEMS, count_hits, lint_hits
        from pipeline.themes.lint import lint as lint_files

        loaded = load_config(config)
        chosen = _chosen(loaded, themes)
        findings, counts = lint_files(chosen), []
        if on:
            sample = _sample(on, loaded)
            counts = count_hits(chosen, sample)
            findings += lint_hits(chosen, counts, too_broad=too_broad / 100)
            _say_unread(sample)
    problems = [one for one in findings if one.kind in PROBLEMS]
    if as_json:
        print_json(
            {
                "findings": [
                    one._asdict() | {"is_problem": one.kind in PROBLEMS} for one in findings
                ],
                "hits": [one._asdict() | {"share": one.share} for one in counts],
            }
        )
    else:
        for one in findings:
            if one.kind != "unused":
                hint = "" if one.kind in PROBLEMS else "hint: "
                place = f"{one.theme}: {one.rule}" if one.rule else one.theme
                typer.echo(f"{hint}{place}: {one.kind}: {one.what}")
        for theme in chosen:
            unused = [
                one.rule
                for one in findings
                if one.kind == "unused" and one.theme == theme.theme and one.rule
            ]
            if unused:
                rules = f"{counted(len(unused), 'rule')} of {len(theme.rules)}"
                typer.echo(f"hint: {theme.theme}: {rules} found nothing: {', '.join(unused)}")
        if not problems:
            typer.echo("no problems")
    if problems:
        raise typer.Exit(FAILED)


@themes_app.command("suggest")
def suggest(
    labelled: Annotated[Path, typer.Argument(help="Labelled articles, as eval reads them.")],
    themes: Annotated[
        list[str] | None, typer.Option("--theme", help="Only this theme; may be given again.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Terms of each kind and language.")] = 10,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose terms that would find what is missed, and exclusions against false alarms."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.evaluate import plain_articles, read_labelled
        from pipeline.themes.suggest import suggest as suggest_terms
        from transforms.logic.themes.matcher import ThemeMatcher

        loaded = load_config(config)
        chosen = _chosen(loaded, themes)
        known = frozenset(theme.theme for theme in loaded.themes)
        articles = list(plain_articles(read_labelled(labelled, known)))
        hits = ThemeMatcher(loaded.themes).hits
        found = [one for theme in chosen for one in suggest_terms(articles, theme, hits, most=most)]
    if as_json:
        print_json([one._asdict() for one in found])
        return
    rows = [
        (
            *(one.theme, one.language, one.kind, short(one.term)),
            *(f"{one.articles} of {one.of}", one.elsewhere, f"{one.score:.1f}"),
        )
        for one in found
    ]
    header = ("theme", "language", "kind", "words", "articles", "elsewhere", "score")
    print_table(header, rows)
    if not rows:
        typer.echo("nothing stands out in what is missed or found wrongly")


@themes_app.command("diff")
def diff(
    old: Annotated[Path, typer.Argument(help="A configuration, or the folder that it is in.")],
    new: Annotated[Path, typer.Argument(help="The other one.")],
    on: OnOption = None,
    most: Annotated[
        int, typer.Option("--examples", min=0, help="Examples of each theme and kind of change.")
    ] = 10,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a proposed change.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what another version of the themes would find, on the same articles."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.themes.diff import as_markdown, diff_themes

        if not on:
            raise ConfigError("--on: name the files, or the run, to compare the themes on")
        before, after = (load_config(_config_in(path)) for path in (old, new))
        sample = _sample(on, after)
        result = diff_themes(before.themes, after.themes, sample)
        _say_unread(sample)
    if as_json:
        print_json(_diff_as_json(result))
    elif markdown:
        typer.echo(as_markdown(result, most), nl=False)
    else:
        _print_diff(result, most)


def _print_diff(result: "ThemesDiff", most: int) -> None:
    from pipeline.themes.diff import grouped, level_change

    header = ("theme", "language", "before", "after", "gained", "lost", "other level")
    print_table(header, list(result.rows))
    for theme, kind, changes in grouped(result.changes):
        typer.echo(f"\n{theme}: {kind} {len(changes)}")
        for one in changes[:most]:
            title = short(one.article.title or one.article.text)
            typer.echo(f"  {level_change(one)}: {title} ({short(one.article.source)})")
            typer.echo(f"    {_one_line(one.evidence)}")
        if len(changes) > most:
            typer.echo(f"  … and {len(changes) - most} more")


def _one_line(text: str) -> str:
    from pipeline.console import printable

    return " ".join(printable(text).split())


def _diff_as_json(result: "ThemesDiff") -> dict[str, Any]:
    return {
        "articles": result.articles,
        "themes": [row._asdict() for row in result.rows],
        "changes": [
            {
                "kind": one.kind,
                "theme": one.theme,
                "language": one.language,
                "article_id": one.article.article_id,
                "title": one.article.title,
                "source": one.article.source,
                "old": one.old and one.old.model_dump(mode="json"),
                "new": one.new and one.new.model_dump(mode="json"),
            }
            for one in result.changes
        ],
    }


@themes_app.command("parity")
def parity(
    themes: ThemesArgument = None,
    on: OnOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare what the themes have, and find, in each language."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.themes.parity import parity as compare

        loaded = load_config(config)
        sample = _sample(on, loaded) if on else None
        result = compare(_chosen(loaded, themes), sample or ())
        if sample:
            _say_unread(sample)
    if as_json:
        shares = [one._asdict() | {"per_thousand": one.per_thousand} for one in result.shares]
        print_json({"themes": shares, "uncovered": result.uncovered})
        return
    header: tuple[str, ...] = ("theme", "language", "terms", "queries", "examples")
    if on:
        header += ("articles", "hits", "in 1,000")
    rows = []
    for one in result.shares:
        row: tuple[Any, ...] = (
            one.theme,
            one.language or "all",
            one.terms,
            one.queries,
            one.examples,
        )
        if on:
            rate = "" if one.per_thousand is None else f"{one.per_thousand:.1f}"
            row += (one.articles, one.hits, rate)
        rows.append(row)
    print_table(header, rows)
    for language, count in result.uncovered.items():
        typer.echo(f"no part is for {language}: {counted(count, 'article')}")


@themes_app.command("import")
def import_themes(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What is imported.")],
    origin: Annotated[From, typer.Option("--from", help="Whose rules they are.")],
    out: Annotated[Path, typer.Option("--out", help="The folder for the theme files.")],
    as_json: JsonOption = False,
) -> None:
    """Turn the rules of another system into theme files, and say what could not be kept."""
    with plain_errors():
        from pipeline.themes.imported import Importing, write_themes

        importing = Importing()
        for file in files:
            _read_rules(origin, file, importing)
        written = write_themes(importing, out, str(files[0]))
    if as_json:
        notes = [note._asdict() for note in importing.notes]
        print_json({"files": [str(path) for path in written], "notes": notes})
        return
    for note in importing.notes:
        typer.echo(_one_line(f"{note.place}: {note.theme}: {note.what}"))
    files_written = counted(len(written), "file")
    typer.echo(f"{files_written} in {out}, {counted(len(importing.notes), 'note')}")


def _read_rules(origin: From, file: Path, importing: "Importing") -> None:
    from pipeline.themes.brandwatch import import_brandwatch
    from pipeline.themes.emm import import_emm
    from pipeline.themes.gdelt import import_gdelt

    match origin:
        case From.GDELT:
            import_gdelt(file, importing)
        case From.EMM:
            import_emm(file, importing)
        case From.BRANDWATCH:
            import_brandwatch(file, importing)


def _chosen(loaded: "LoadedConfig", names: Sequence[str] | None) -> "tuple[Theme, ...]":
    """The themes of these names; all of them where there are none."""
    known = {theme.theme: theme for theme in loaded.themes}
    if unknown := sorted(set(names or ()) - known.keys()):
        raise ConfigError(f"no theme {unknown[0]!r}; known: {', '.join(sorted(known))}")
    return tuple(known[name] for name in dict.fromkeys(names)) if names else loaded.themes


def _config_in(path: Path) -> Path:
    """The configuration that *path* is, or has in it."""
    inside: Iterator[Path] = (path / name for name in ("pipeline.yaml", "configs/pipeline.yaml"))
    return next(filter(Path.is_file, inside), path) if path.is_dir() else path


def _sample(on: Sequence[str], loaded: "LoadedConfig") -> "Sample":
    from pipeline.themes.sample import Sample

    return Sample(on, loaded.config)


def _say_unread(sample: "Sample") -> None:
    if sample.unread:
        typer.echo(f"{counted(sample.unread, 'record')} could not be read", err=True)
