"""Which addresses a connection may be made to, and the connections themselves.

A name is resolved once, its addresses are judged, and the connection is made to one that
was judged: a name server that answers differently the next time gains nothing.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import chain, zip_longest
from typing import TypeAlias

import httpcore

from pipeline.web.messages import FetchError
from transforms.errors import Reason

Address: TypeAlias = IPv4Address | IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and a port to addresses, the best first.

Raises:
    OSError: it has none.
"""

_HEAD_START = 2.0  # seconds that an address has before the next is tried

# Python counts these as global, or counts them so in some of its versions.
_NEVER = (
    ip_network("192.0.0.0/24"),  # protocol assignments; holds a cloud's metadata server
    ip_network("192.88.99.0/24"),  # relays of 6to4
    ip_network("168.63.129.16/32"),  # another cloud's
    ip_network("2001::/23"),  # protocol assignments
    ip_network("3fff::/20"),  # documentation
)
_UNICAST = ip_network("2000::/3")  # all of IPv6 that is given out
_NAT64 = ip_network("64:ff9b::/96")  # the IPv4 internet, as a network without IPv4 sees it


def is_public(address: Address) -> bool:
    """Whether *address* is a host's on the public internet.

    An IPv6 address that stands for an IPv4 address is judged as that.
    """
    if isinstance(address, IPv6Address):
        if (embedded := _embedded(address)) is not None:
            return is_public(embedded)
        if address not in _UNICAST:
            return False
    never = any(address in network for network in _NEVER)
    return address.is_global and not address.is_multicast and not never


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a packet to *address* may end at."""
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


class Guard:
    """Judges addresses; *allowed* are host names and networks that may be private.

    Raises:
        ValueError: an entry of *allowed* that is no network although it has a slash.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._names: set[str] = set()
        self._networks: list[IPv4Network | IPv6Network] = []
        for entry in allowed:
            try:
                self._networks.append(ip_network(entry.strip("[]")))
            except ValueError:
                if "/" in entry:
                    raise
                self._names.add(entry.lower())

    def allows(self, host: str, address: Address) -> bool:
        """Whether a connection for *host* may be made to *address*."""
        return (
            is_public(address)
            or host.lower() in self._names
            or any(address in network for network in self._networks)
        )


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that *guard* allows, and to nothing else."""

    def __init__(self, guard: Guard, resolve: Resolve) -> None:
        self._guard = guard
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to *host*.

        Raises:
            FetchError: NO_ADDRESS, or FORBIDDEN_ADDRESS where a single one of its
                addresses is forbidden.
            httpcore.ConnectError, httpcore.ConnectTimeout: none of its addresses answers.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + timeout if timeout is not None else float("inf")
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._addresses(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"no address of {host} in time") from None
        fault: Exception = httpcore.ConnectError(f"no address of {host}")
        for remaining in range(len(addresses), 0, -1):
            left = end - clock()
            try:
                return await self._network.connect_tcp(
                    str(addresses[-remaining]),
                    port,
                    timeout=left if remaining == 1 else min(_HEAD_START, left / remaining),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except httpcore.ConnectTimeout as error:
                fault = error
            except httpcore.ConnectError as error:
                fault = httpcore.ConnectError(_root(error))
        raise fault

    async def _addresses(self, host: str, port: int) -> list[Address]:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:  # UnicodeError: a label over 63 characters
            # A name server that is out of order is not the same as a name nobody has.
            passing = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
            raise FetchError(
                Reason.NO_ADDRESS, f"{host} has no address: {error}", passing=passing
            ) from None
        addresses = [ip_address(address) for address in found]
        for address in addresses:
            if not self._guard.allows(host, address):
                raise FetchError(
                    Reason.FORBIDDEN_ADDRESS,
                    f"{host} is at {address}, which is not of the public internet",
                )
        return _alternate(addresses)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("sockets of this machine are not of the internet")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _root(error: BaseException) -> str:
    """What an error comes from in the end."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)


def _alternate(addresses: list[Address]) -> list[Address]:
    """The same in an order that meets the other version of IP soon, should one be broken."""
    versions = [
        [address for address in addresses if address.version == version]
        for version in dict.fromkeys(address.version for address in addresses)
    ]
    return [address for address in chain(*zip_longest(*versions)) if address is not None]


def resolver(executor: Executor) -> Resolve:
    """What the system says, asked in *executor*: a slow name server blocks a thread of it."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        infos = await asyncio.get_running_loop().run_in_executor(
            executor, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(info[4][0]) for info in infos]

    return resolve
