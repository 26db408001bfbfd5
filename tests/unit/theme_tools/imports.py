"""Importing a file in a test: it is written, read back by the configuration, and matched."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pipeline.config import load_config
from pipeline.themes.imported import Importing, write_themes
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Theme


class Imported(NamedTuple):
    """What came of an import: the themes as `check` reads them, and the notes without folder."""

    themes: dict[str, Theme]
    notes: list[str]

    def level(self, theme: str, text: str, title: str = "", source: str = "") -> str | None:
        """The level at which a theme is found in an English text."""
        hits = ThemeMatcher([self.themes[theme]]).hits(title, text, language="en", source=source)
        return hits[0].level if hits else None

    def finds(self, theme: str, text: str, title: str = "", source: str = "") -> bool:
        """Whether a theme is found in an English text."""
        return self.level(theme, text, title, source) is not None


def imported(
    tmp_path: Path, importer: Callable[[Path, Importing], None], content: str, name: str = "x.txt"
) -> Imported:
    """Import a file with this content."""
    path = tmp_path / name
    path.write_text(content)
    importing = Importing()
    importer(path, importing)
    out = tmp_path / "out"
    written = write_themes(importing, out, name)
    notes = [f"{note.place}: {note.theme}: {note.what}" for note in importing.notes]
    themes: tuple[Theme, ...] = ()
    if written:
        (tmp_path / "pipeline.yaml").write_text('themes: ["out/*.yaml"]\n')
        themes = load_config(tmp_path / "pipeline.yaml").themes
    return Imported(
        {theme.theme: theme for theme in themes},
        [note.replace(f"{tmp_path}/", "") for note in notes],
    )
