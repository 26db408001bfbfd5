"""Fixtures of the ledger's tests, for those of sinks."""

from tests.ledger.conftest import own_server, postgres_url, server_url

__all__ = ["own_server", "postgres_url", "server_url"]
