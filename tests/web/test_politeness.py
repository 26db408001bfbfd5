"""Turns: per host in order and with a gap, hosts independent of one another."""

import asyncio
import time
from itertools import pairwise

import pytest

from pipeline.web import FetchError
from pipeline.web.politeness import Turns
from transforms.errors import Reason

pytestmark = pytest.mark.anyio

ONE, TWO = ("one.example", 443), ("two.example", 443)
GAP = 0.05
BUSY = FetchError(Reason.HTTP_ERROR, "one.example answered 429", status=429, passing=True)


def turns(per_host=2, gap=0.0, at_once=100, longest_wait=10.0) -> Turns:
    return Turns(per_host, gap, at_once, longest_wait)


class Log:
    """When turns began, and how many were under way."""

    def __init__(self) -> None:
        self.began: list[tuple[str, float]] = []
        self.now = 0
        self.most = 0

    async def take(self, dealt: Turns, host: tuple[str, int], name: str, seconds: float) -> None:
        async with dealt.turn(host):
            self.began.append((name, time.monotonic()))
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(seconds)
            self.now -= 1

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.began]


async def test_so_many_at_most_on_a_host_and_in_the_order_of_asking():
    dealt, log = turns(per_host=2), Log()
    await asyncio.gather(*(log.take(dealt, ONE, str(n), 0.01) for n in range(7)))
    assert log.most == 2
    assert log.names == [str(n) for n in range(7)]


async def test_so_many_at_most_in_all():
    dealt, log = turns(at_once=3), Log()
    hosts = [(f"{n}.example", 443) for n in range(5)]
    await asyncio.gather(*(log.take(dealt, host, "", 0.01) for host in hosts * 2))
    assert log.most == 3


@pytest.mark.parametrize("per_host", [1, 2, 5])
async def test_a_gap_between_the_beginnings(per_host):
    dealt, log = turns(per_host, GAP), Log()
    await asyncio.gather(*(log.take(dealt, ONE, "", 0.0) for _ in range(5)))
    gaps = [after - before for (_, before), (_, after) in pairwise(log.began)]
    assert all(gap >= GAP * 0.95 for gap in gaps)
    assert sum(gaps) < 4 * GAP * 1.5


async def test_the_gap_is_kept_where_places_in_all_are_scarce():
    dealt, log = turns(gap=GAP, at_once=1), Log()
    await asyncio.gather(
        log.take(dealt, TWO, "two", 4 * GAP), *(log.take(dealt, ONE, "one", 0.0) for _ in range(3))
    )
    ones = [at for name, at in log.began if name == "one"]
    assert all(after - before >= GAP * 0.95 for before, after in pairwise(ones))


async def test_a_host_that_waits_holds_up_no_other():
    dealt, log = turns(per_host=1, gap=GAP, at_once=2), Log()
    began = time.monotonic()
    await asyncio.gather(
        *(log.take(dealt, ONE, "one", 0.0) for _ in range(4)),
        *(log.take(dealt, (f"{n}.example", 443), "other", 0.001) for n in range(20)),
    )
    others = [at - began for name, at in log.began if name == "other"]
    assert max(others) < 3 * GAP
    assert log.names[-1] == "one"


async def test_many_hosts_take_as_long_as_one():
    dealt, log = turns(per_host=2, gap=GAP), Log()
    began = time.monotonic()
    await asyncio.gather(
        *(log.take(dealt, (f"{n}.example", 443), "", 0.02) for n in range(50) for _ in range(5))
    )
    ideal = 4 * GAP + 0.02
    assert ideal * 0.95 <= time.monotonic() - began < ideal * 1.5


async def test_a_host_that_is_closed_for_a_moment_is_waited_for():
    dealt, log = turns(), Log()
    dealt.close(ONE, GAP, BUSY)
    began = time.monotonic()
    await asyncio.gather(log.take(dealt, ONE, "one", 0.0), log.take(dealt, TWO, "two", 0.0))
    assert log.names == ["two", "one"]
    assert log.began[1][1] - began >= GAP * 0.95


async def test_a_host_that_is_closed_for_long_is_given_up_by_all_who_wait():
    dealt, log = turns(per_host=1, longest_wait=1.0), Log()

    async def close() -> None:
        async with dealt.turn(ONE):
            await asyncio.sleep(0.01)
            dealt.close(ONE, 3600, BUSY)

    results = await asyncio.gather(
        close(), *(log.take(dealt, ONE, "", 0.0) for _ in range(3)), return_exceptions=True
    )
    errors = results[1:]
    assert [error.status for error in errors] == [429] * 3
    assert "not asked" in errors[0].detail
    assert log.began == []


async def test_a_gap_longer_than_the_longest_wait_is_still_waited():
    dealt, log = turns(gap=3 * GAP, longest_wait=GAP), Log()
    await asyncio.gather(*(log.take(dealt, ONE, "", 0.0) for _ in range(2)))
    assert len(log.began) == 2


async def test_a_gap_can_be_widened():
    dealt, log = turns(), Log()
    dealt.widen(ONE, GAP)
    dealt.widen(ONE, GAP / 10)
    await asyncio.gather(*(log.take(dealt, ONE, "", 0.0) for _ in range(2)))
    assert log.began[1][1] - log.began[0][1] >= GAP * 0.95


async def test_turns_of_the_cancelled_are_given_back_wherever_they_stood():
    dealt, log = turns(per_host=2, gap=0.005, at_once=2), Log()
    for delay in (0.0, 0.001, 0.004, 0.006, 0.012, 0.02):
        hosts = [ONE, TWO, ONE, ONE, TWO]
        tasks = [asyncio.create_task(log.take(dealt, host, "", 0.01)) for host in hosts]
        await asyncio.sleep(delay)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    log.now = log.most = 0
    after = asyncio.gather(*(log.take(dealt, host, "", 0.02) for host in (ONE, TWO, ONE, TWO)))
    await asyncio.wait_for(after, 1)
    assert log.most == 2
