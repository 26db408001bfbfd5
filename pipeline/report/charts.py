"""Charts as SVG that takes its colours from the page, so that it is right in light and dark."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import product
from typing import Any, Final, Literal

import altair as alt
import vl_convert
from markupsafe import Markup

from pipeline.report.figures import Matrix
from transforms.logic.bursts import Judged

_WIDTH: Final = 400  # as wide as a column of the page is, so that letters keep their size
_LETTERS: Final = 11
_LABEL: Final = 150  # a longer label is cut
_LETTER: Final = 7  # as wide as one is, with some room
_CELL, _WIDEST = 56, 420  # the width of a cell at least, and of all with level labels

# The page defines these properties; SVG takes them wherever it takes a colour.
_INK, _MUTED, _RULE = "var(--ink)", "var(--muted)", "var(--rule)"
_THEME, _BAND, _HEAT = "var(--theme)", "var(--band)", "var(--heat)"

_CONFIG: Final[Mapping[str, Any]] = {
    "aria": False,  # the page says what a chart shows, and has its numbers in a table
    # Those that are as wide as what the converter measures by.
    "font": "Arial, Liberation Sans, Helvetica, sans-serif",
    "padding": {"left": 6, "top": 2, "right": 6, "bottom": 2},
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "ticks": False,
        "grid": False,
        "labelColor": _MUTED,
        "labelFontSize": _LETTERS,
        "labelPadding": 4,
        "title": None,
    },
}


def days_chart(days: Sequence[Judged]) -> Markup:
    """A theme's stories a day, over the span that is usual; bursts are full and marked."""
    rows = [
        {
            "day": one.day.isoformat(),
            "next": (one.day + timedelta(days=1)).isoformat(),
            "noon": f"{one.day.isoformat()}T12:00:00Z",
            "stories": one.stories,
            "low": one.low if one.basis else None,
            "high": one.high if one.basis else None,
            "burst": one.burst,
        }
        for one in days
    ]
    mondays = [1000 * _seconds(one.day) for one in days if one.day.weekday() == 0]
    highest = max(4, *(max(one.stories, one.high) for one in days))
    base = alt.Chart(alt.InlineData(rows))
    begin = alt.X(
        "day:T",
        scale=alt.Scale(type="utc", nice=False),
        axis=alt.Axis(format="%-d %b", values=mondays, labelFlush=False),
    )
    height = alt.Scale(domain=[0, highest * 1.12], nice=False)
    stories = alt.Y(
        "stories:Q",
        scale=height,
        axis=alt.Axis(grid=True, gridColor=_RULE, tickCount=3, tickMinStep=1, format="d"),
    )
    usual = (
        base.transform_filter("datum.high !== null")
        .mark_rect(color=_BAND)
        .encode(x=begin, x2="next:T", y=alt.Y("low:Q", scale=height), y2="high:Q")
    )
    bars = base.mark_bar(width=0.62 * _WIDTH / len(rows), color=_THEME).encode(
        x="noon:T",
        y=stories,
        opacity=alt.condition("datum.burst", alt.value(1), alt.value(0.6)),
    )
    bursts = base.transform_filter("datum.burst")
    marks = bursts.mark_point(
        shape="triangle-down", filled=True, size=45, color=_INK, opacity=1, yOffset=-7
    ).encode(x="noon:T", y=stories)
    return _svg((usual + bars + marks).properties(width=_WIDTH, height=110))


def _seconds(day: date) -> int:
    return (day - date(1970, 1, 1)) // timedelta(seconds=1)


def matrix_chart(matrix: Matrix, rows: Mapping[str, str], columns: Mapping[str, str]) -> Markup:
    """Counts as cells, the larger the darker.

    Args:
        rows: What the matrix' rows are called, by their names; so with *columns*.
    """
    cells = [
        {
            "row": rows[row],
            "column": columns[column],
            "stories": matrix.counts.get((row, column), 0),
        }
        for row, column in product(matrix.rows, matrix.columns)
    ]
    most = max([1, *matrix.counts.values()])
    longest = max(len(columns[column]) for column in matrix.columns) * _LETTER
    slanted = longest * len(matrix.columns) > _WIDEST
    cell = _CELL if slanted else max(_CELL, longest)
    gaps = alt.Scale(paddingInner=0.06, paddingOuter=0)
    base = alt.Chart(alt.InlineData(cells)).encode(
        x=alt.X("column:N", sort=None, scale=gaps, axis=_names("top", -35 if slanted else 0)),
        y=alt.Y("row:N", sort=None, scale=gaps, axis=_names("left", 0)),
    )
    darker = alt.Scale(type="sqrt", domain=[0, most], range=[0.08, 1])
    heat = base.mark_rect(color=_HEAT, cornerRadius=3).encode(
        opacity=alt.Opacity("stories:Q", scale=darker, legend=None)
    )
    numbers = (
        base.transform_filter("datum.stories > 0")
        .mark_text(color=_INK, fontSize=_LETTERS)
        .encode(text=alt.Text("stories:Q", format=",d"))
    )
    width, height = cell * len(matrix.columns), 26 * len(matrix.rows)
    return _svg((heat + numbers).properties(width=width, height=height))


def _names(orient: Literal["top", "left"], angle: float) -> alt.Axis:
    return alt.Axis(orient=orient, labelAngle=angle, labelColor=_INK, labelLimit=_LABEL)


def _svg(chart: alt.LayerChart) -> Markup:
    drawn = chart.properties(background="transparent").configure(**_CONFIG)
    svg = vl_convert.vegalite_to_svg(drawn.to_dict())
    # What others wrote in it is escaped by the converter; what it shows the page says in words.
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" ', 1))  # noqa: S704
