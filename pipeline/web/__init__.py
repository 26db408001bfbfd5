"""The network: nothing else in policywire opens a connection, but apprise for digests.

    async with WebClient(FetchSettings(user_agent="policywire/1.0")) as client:
        response = await client.fetch(Request(url=url, shown=url, etag=etag))
        page = await client.fetch_page(url)

    poster = Poster(FetchSettings(user_agent="policywire/1.0"))
    poster.post(url, body, {"Content-Type": "application/json"})

Every request, each redirect of it too, is made to an address of the public internet unless
the settings allow more, waits its turn on its host, and is bounded in time and size. What
is posted waits for no turn, and follows no redirect.
"""

from pipeline.web.client import WebClient
from pipeline.web.messages import FetchError, FetchSettings, Request, Response
from pipeline.web.posting import Poster

__all__ = ["FetchError", "FetchSettings", "Poster", "Request", "Response", "WebClient"]
