"""Keeping the memory of a long run flat."""

import ctypes
import os
import sys

_TRIM_THRESHOLD, _ARENA_MAX = -1, -8  # of mallopt(3)
_TRIM_BYTES = 128 << 10


def return_freed_memory() -> None:
    """Make this process, and those it starts, give freed memory back to the system.

    The C library's allocator (glibc) keeps what was freed for later, in an arena for
    each thread. A run frees many large buffers in many threads: kept, they grow to
    three times what is in use. Does nothing under another allocator, nor where the
    user has set the allocator up.
    """
    if not sys.platform.startswith("linux") or "MALLOC_ARENA_MAX" in os.environ:
        return
    os.environ["MALLOC_ARENA_MAX"] = "1"
    os.environ["MALLOC_TRIM_THRESHOLD_"] = str(_TRIM_BYTES)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)
        mallopt(_TRIM_THRESHOLD, _TRIM_BYTES)
