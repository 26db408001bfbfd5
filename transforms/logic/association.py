"""How strongly two things go together, from how often each is there and both are."""

import math


def jaccard(both: int, a: int, b: int) -> float:
    """Of all that has either, the share that has both (Jaccard 1912, New Phytologist 11:37)."""
    either = a + b - both
    return both / either if either else 0.0


def npmi(both: int, a: int, b: int, of: int) -> float | None:
    """Normalised pointwise mutual information (Bouma 2009, Proceedings of GSCL, 31-40).

    From -1, never together, over 0, together as often as chance has it, to 1, never apart.
    None where *of*, the number of all, has nothing in it that has neither or only one.
    """
    if not both:
        return -1.0
    if of < a + b - both or of == both:
        return None
    return math.log(both * of / (a * b)) / -math.log(both / of)
