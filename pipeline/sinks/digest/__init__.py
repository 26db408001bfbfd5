"""Digests: what is new, ranked and within a budget, as messages to people.

A run's alerts are put in a queue that is kept on the disk, the stories that rank first are
taken out of it into a message, and the others wait for the next one.
"""

from pipeline.sinks.digest.settings import DigestSettings

__all__ = ["DigestSettings"]
