"""No connection is made to an address that is not of the public internet."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from pipeline.web.addresses import Guard, is_public
from tests.web.servers import answer, client, failing, fetch, redirect, serving
from transforms.errors import Reason

pytestmark = pytest.mark.anyio


def resolving(**names: Sequence[str]):
    """A resolver that knows *names*, an underscore for a dot, and no others."""
    asked = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        try:
            return names[host.replace(".", "_")]
        except KeyError:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None

    resolve.asked = asked
    return resolve


@pytest.mark.parametrize(
    "address",
    """8.8.8.8 193.99.144.80 2a00:1450:4001:82b::200e ::ffff:8.8.8.8 64:ff9b::808:808
    2002:808:808::1""".split(),
)
def test_public_addresses(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    """0.0.0.0 127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 192.168.1.1 100.64.0.1
    100.100.100.200 169.254.169.254 192.0.0.192 168.63.129.16 198.18.0.1 192.0.2.1 224.0.0.1
    239.255.255.250 240.0.0.1 255.255.255.255 192.88.99.1
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 fe80::1 fe80::1%eth0 fec0::1 fc00::1
    fd00:ec2::254 ff02::1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1::1
    2002:a00:1:: 2001:0:4136:e378:8000:63bf:80ff:fffe 2001:db8::1 3fff::1 100::1
    5f00::1""".split(),
)
def test_addresses_that_are_not_public(address):
    assert not is_public(ip_address(address))


def test_what_is_allowed_is_a_name_an_address_or_a_network():
    guard = Guard(("Feeds.Intern", "10.1.0.0/16", "[fd00::5]"))
    assert guard.allows("feeds.intern", ip_address("192.168.0.9"))
    assert guard.allows("other", ip_address("10.1.2.3"))
    assert guard.allows("other", ip_address("fd00::5"))
    assert not guard.allows("other", ip_address("10.2.0.1"))
    assert not guard.allows("not.feeds.intern", ip_address("192.168.0.9"))


@pytest.mark.parametrize("entry", ["10.0.0.0/33", "10.0.0.1/8", "host/path"])
def test_what_looks_like_a_network_and_is_none_is_refused(entry):
    with pytest.raises(ValueError, match="/"):
        Guard((entry,))


@pytest.mark.parametrize(
    "host",
    """127.0.0.1 localhost LOCALHOST 2130706433 0x7f000001 0x7f.1 0177.0.0.1 127.1 0 [::1]
    [::ffff:127.0.0.1] [::ffff:7f00:1] [::] 127.0.0.1.""".split(),
)
async def test_this_machine_is_not_asked_in_whatever_form_it_is_written(host):
    async with serving({"/": answer(body=b"secret")}) as server, client(allowed=()) as web:
        error = await failing(web, server.url(host=host))
        assert error.reason in (Reason.FORBIDDEN_ADDRESS, Reason.NO_ADDRESS, Reason.BAD_URL)
        assert server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.2", "inside.example", "2130706434"])
async def test_a_redirect_into_a_private_network_is_not_followed(host):
    resolve = resolving(
        outside_example=["127.0.0.1"], inside_example=["127.0.0.2"], **{
            "127_0_0_2": ["127.0.0.2"], "2130706434": ["127.0.0.2"],
        }
    )  # fmt: skip
    async with serving(host="127.0.0.2") as inside, serving() as outside:
        outside.routes["/"] = redirect(inside.url("/secret", host=host))
        async with client(allowed=("outside.example",), resolve=resolve) as web:
            error = await failing(web, outside.url(host="outside.example"))
        assert error.reason is Reason.FORBIDDEN_ADDRESS
        assert "127.0.0.2" in error.detail
        assert len(outside.asked) == 1
        assert inside.connections == 0


async def test_one_private_address_among_public_ones_is_enough():
    resolve = resolving(mixed_example=["8.8.8.8", "127.0.0.1"])
    async with client(allowed=(), resolve=resolve) as web:
        error = await failing(web, "http://mixed.example/")
    assert error.reason is Reason.FORBIDDEN_ADDRESS


async def test_a_name_is_resolved_once_for_a_connection():
    answers = [["127.0.0.1"], ["127.0.0.2"]]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    async with serving({"/": answer(body=b"public")}) as server:
        async with client(allowed=("127.0.0.1",), resolve=rebinding) as web:
            assert (await fetch(web, server.url(host="news.example"))).body == b"public"
        assert answers == [["127.0.0.2"]]
        assert server.asked[0].headers["host"] == f"news.example:{server.port}"


async def test_the_second_address_is_tried_where_the_first_does_not_answer():
    resolve = resolving(news_example=["127.0.0.3", "127.0.0.1"])
    async with serving({"/": answer(body=b"news")}) as server, client(resolve=resolve) as web:
        assert (await fetch(web, server.url(host="news.example"))).body == b"news"


async def test_a_name_without_an_address():
    async with client(resolve=resolving()) as web:
        error = await failing(web, "http://nobody.example/")
    assert error.reason is Reason.NO_ADDRESS
    assert not error.passing


async def test_a_name_server_that_is_out_of_order_may_be_well_again():
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    async with client(resolve=resolve) as web:
        error = await failing(web, "http://news.example/")
    assert (error.reason, error.passing) == (Reason.NO_ADDRESS, True)


async def test_a_name_server_has_the_time_of_a_connection():
    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(10)
        raise AssertionError("nobody waits so long")

    async with client(resolve=resolve, connect_timeout=0.05, retries=0) as web:
        error = await failing(web, "http://slow.example/")
    assert (error.reason, error.passing) == (Reason.TIMED_OUT, True)
