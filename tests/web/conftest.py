"""Tests of this folder are coroutines, run by the plugin that comes with anyio."""

import ssl
from typing import NamedTuple

import pytest
import trustme


class Certificates(NamedTuple):
    """For servers at 127.0.0.1, and for clients that trust them."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    authority: trustme.CA


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return Certificates(server, client, authority)
