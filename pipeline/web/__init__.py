"""The network: nothing else in policywire opens a connection.

    async with WebClient(FetchSettings(user_agent="policywire/1.0")) as client:
        response = await client.fetch(Request(url=url, shown=url, etag=etag))
        page = await client.fetch_page(url)

Every request, each redirect of it too, is made to an address of the public internet unless
the settings allow more, waits its turn on its host, and is bounded in time and size.
"""

from pipeline.web.client import WebClient
from pipeline.web.messages import FetchError, FetchSettings, Request, Response

__all__ = ["FetchError", "FetchSettings", "Request", "Response", "WebClient"]
