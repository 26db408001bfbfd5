"""A ledger in each kind of database; PostgreSQL is POLICYWIRE_TEST_POSTGRES or started here."""

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from pipeline.ledger import Ledger
from tests.ledger.server import Server, find_binaries


@pytest.fixture(scope="session")
def own_server() -> Iterator[Server]:
    """A server that a test may stop; it must start it again."""
    binaries = find_binaries()
    if binaries is None:
        why = "no PostgreSQL here: install Debian's postgresql, or set POLICYWIRE_TEST_POSTGRES"
        if "CI" in os.environ and "POLICYWIRE_TEST_POSTGRES" not in os.environ:
            pytest.fail(why)
        pytest.skip(why)
    with Server(binaries) as server:
        yield server


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> str:
    given = os.environ.get("POLICYWIRE_TEST_POSTGRES")
    if given:
        return given
    server: Server = request.getfixturevalue("own_server")
    return server.url


@pytest.fixture
def postgres_url(server_url: str) -> Iterator[str]:
    """An empty schema of its own."""
    schema = f"test_{uuid.uuid4().hex}"
    url = make_url(server_url)
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    own = url.update_query_dict({"options": f"-csearch_path={schema}"})
    yield own.render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.sqlite'}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """Where a ledger may be made."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger to be copied, which is faster than to make one."""
    path = tmp_path_factory.mktemp("ledger") / "empty.sqlite"
    Ledger.open(f"sqlite:///{path}", create=True).close()
    return path


@pytest.fixture
def ledger(url: str, empty_file: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    if url.startswith("sqlite:///"):
        shutil.copy(empty_file, url.removeprefix("sqlite:///"))
    with Ledger.open(url, create=True) as ledger:
        yield ledger
