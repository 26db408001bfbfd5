"""The commands about single articles: explain, eval."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.base import ConfigOption, JsonOption, app, plain_errors
from pipeline.cli.printing import print_json, print_table

if TYPE_CHECKING:
    from pipeline.evaluate import Evaluation, Figures
    from pipeline.explain import Explained
    from transforms.logic.themes.explanation import RuleExplanation, ThemeExplanation
    from transforms.records import Article, Evidence


@app.command()
def explain(
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="Any format; '-' is stdin.")],
    config: ConfigOption = None,
    entry: Annotated[int, typer.Option(min=1, help="Which article of the file.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Show why an article matches its themes, and what nearly did."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.explain import explain as explain_article

        explained = explain_article(source, load_config(config), entry)
    if as_json:
        print_json(
            {
                "article": explained.article.model_dump(mode="json"),
                "themes": [theme.model_dump(mode="json") for theme in explained.themes],
            }
        )
    else:
        print_explanation(explained)


@app.command("eval")
def evaluate(
    labelled: Annotated[
        Path, typer.Argument(help="JSON Lines: title, text, themes, unsure, levels, language.")
    ],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the themes against labelled articles."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.evaluate import evaluate as measure
        from pipeline.evaluate import read_labelled
        from transforms.logic.themes.matcher import ThemeMatcher

        loaded = load_config(config)
        names = [theme.theme for theme in loaded.themes]
        articles = read_labelled(labelled, frozenset(names))
        result = measure(articles, names, ThemeMatcher(loaded.themes).hits)
    if as_json:
        print_json(result.as_json())
    else:
        print_evaluation(result)


def print_evaluation(result: "Evaluation") -> None:
    from pipeline.console import printable

    header = ("theme", "precision", "95 %", "recall", "95 %", "F1", "95 %", "articles")
    print_table(header, [_figures_row(name, one) for name, one in result.every.rows().items()])
    if len(result.languages) > 1:
        rows = [
            (language, *_figures_row(name, one))
            for language, of_language in result.languages.items()
            for name, one in of_language.themes.items()
            if one.support or one.f1 < 1
        ]
        typer.echo()
        print_table(("language", *header), rows)
    if result.levels:
        typer.echo()
        levels = [(name, one.stated, one.right) for name, one in result.levels.items()]
        print_table(("theme", "found, level labelled", "level right"), levels)
    for number, wrong in enumerate(result.wrong):
        words = ", ".join(dict.fromkeys(wrong.words))
        line = printable(f"{wrong.theme}: {wrong.kind}: {wrong.article}  {words}".rstrip())
        typer.echo(f"\n{line}" if number == 0 else line)


def _figures_row(name: str, figures: "Figures") -> tuple[str, ...]:
    intervals = figures.intervals
    assert intervals is not None  # noqa: S101 # an evaluation has them
    between = [
        f"{one.low:.2f}–{one.high:.2f}" if one else ""
        for one in (intervals.precision, intervals.recall, intervals.f1)
    ]
    values = [f"{value:.3f}" for value in figures[:3]]
    pairs = zip(values, between, strict=True)
    return (name, *(cell for pair in pairs for cell in pair), f"{figures.support}")


def print_explanation(explained: "Explained") -> None:
    from rich.console import Console
    from rich.text import Text

    from pipeline.console import printable

    console = Console(highlight=False, soft_wrap=True)
    article = explained.article

    def line(text: str, style: str = "") -> None:
        console.print(Text(printable(text), style=style))

    line(article.title or "(no title)", "bold")
    dated = f"{article.published_at:%Y-%m-%d %H:%M} UTC, by the {article.published_from}"
    line(f"{article.source} · {article.language} · {dated} · {len(article.text):,} characters")
    for theme in explained.themes:
        line("")
        level = theme.level or "no hit"
        line(
            f"{theme.theme}: {level}, score {theme.score:g} "
            f"(mention from {theme.mention:g}, focus from {theme.focus:g})",
            "bold green" if theme.level else "bold",
        )
        for query in theme.queries:
            line(f"  {query.points:+g}  {query.query} ({_amount(query, theme)})")
            for match in query.matches:
                before, words, after = _around(match, article)
                shown = Text(f"      {match.field} {match.start}: ", style="dim")
                shown.append(printable(before), style="not dim")
                shown.append(printable(words), style="not dim bold reverse")
                shown.append(printable(after), style="not dim")
                console.print(shown)
            if query.covered:
                line(f"      {query.covered} more inside longer matches", "dim")
            for miss in query.near_misses:
                line(f"      nearly: {miss}", "yellow")
        for miss in theme.near_misses:
            line(f"  nearly: {miss}", "yellow")


def _amount(query: "RuleExplanation", theme: "ThemeExplanation") -> str:
    """What the points of a rule come from: its weight, and matches in the title and lead."""
    found = [f"weight {query.weight:g}"]
    for matches, place, weight in (
        (query.title, "the title", theme.title_weight),
        (query.lead, "the lead", theme.lead_weight),
    ):
        if matches and weight != 1:
            found.append(f"{matches} in {place} × {weight:g}")
    return ", ".join(found)


def _around(match: "Evidence", article: "Article") -> tuple[str, str, str]:
    """The sentence of a match: what stands before its words, the words, and the rest."""
    text = article.title if match.field == "title" else article.text
    # The sentence may stand in the text more than once, and the words in the sentence.
    begin = text.find(match.sentence, max(0, match.end - len(match.sentence)))
    at = match.start - begin
    return match.sentence[:at], match.words, match.sentence[at + len(match.words) :]
