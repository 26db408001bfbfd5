"""Imports go one way: pipeline → transforms → transforms.logic → records, errors."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted([*ROOT.glob("pipeline/**/*.py"), *ROOT.glob("transforms/**/*.py")])
PURE = ("transforms/logic/", "transforms/records.py", "transforms/errors.py")
NETWORK = ("httpx", "httpcore", "anyio", "requests", "urllib.request", "socket", "http")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_go_one_way(path: Path) -> None:
    where = path.relative_to(ROOT).as_posix()
    names = list(imported(path))
    assert "__future__" not in names, "Beam reads postponed annotations as Any"
    if where.startswith("transforms/"):
        assert not [name for name in names if below(name, "pipeline")]
    if where.startswith(PURE):
        assert not [name for name in names if below(name, "apache_beam")]
        assert not [name for name in names for package in NETWORK if below(name, package)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_one_package_opens_connections(path: Path) -> None:
    if path.parent != ROOT / "pipeline" / "web":
        names = list(imported(path))
        clients = set(NETWORK) - {"socket"}  # the ledger's lock asks it for this machine's name
        assert not [name for name in names for package in clients if below(name, package)]


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.parent == ROOT / "transforms"],
    ids=lambda path: path.name,
)
def test_a_stage_imports_no_other_stage(path: Path) -> None:
    shared = {"records", "errors", "dead_letters", "coders", "packing", "earlier_runs", "logic"}
    stages = {
        name.split(".")[1]
        for name in imported(path)
        if below(name, "transforms") and name != "transforms"
    }
    assert stages <= shared
