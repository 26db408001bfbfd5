"""Writing the report: each file whole or not at all, the report itself last."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from pipeline.history import History
from pipeline.whole_files import replacing
from transforms.errors import ConfigError, RunError

_EXTRA = ("altair", "jinja2", "vl_convert")


def need_extra() -> None:
    """Make sure that what draws the report is installed.

    Raises:
        ConfigError: it is not; the message says how to get it.
    """
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"the report needs {', '.join(missing)}: pip install 'policywire[report]'"
        )


def write_report(out: Path, titles: Mapping[str, str]) -> Path:
    """Write the report of the runs that are kept below *out*, and return its path.

    That is `report.html`, and `report/` with pages of older days where they are too many
    for one. A page of a day that is no longer needed is removed.

    Args:
        titles: What themes are called, by their names.

    Raises:
        ConfigError: what draws it is not installed.
        RunError: *out* cannot be written to.
    """
    need_extra()
    from pipeline.report.pages import REPORT, pages_of

    written = set()
    try:
        out.mkdir(parents=True, exist_ok=True)
        for page in pages_of(History(out), titles):
            path = out / page.name
            path.parent.mkdir(exist_ok=True)
            with replacing(path) as aside:
                # Half of a surrogate pair, which a title may hold, is no UTF-8.
                aside.write_text(page.content, encoding="utf-8", errors="replace")
            written.add(path)
        for path in (out / "report").glob("*.html"):
            if path not in written:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"cannot write the report to {out}: {error.strerror or error}") from error
    return out / REPORT
