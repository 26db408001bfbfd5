"""A generated corpus: articles of about 2.4 kB, one in ten with a theme. Same seed, same bytes.

Words come as often as in real text, by Zipf's law: the common ones of English
first, then invented ones, so that no program can live on a small vocabulary.
"""

import random
from itertools import accumulate
from pathlib import Path

import orjson

_COMMON = (
    "the of and to in a is that for on was with as it by at from his her he she they have been "
    "said be are not this but had were which an their or has would will more who about up one "
    "all when its if out new after people also two there can first over no last could some what "
    "than other into time only year years world against government most them made under before "
    "minister while country public since many three week part where day state between should "
    "company market home police told report still group business back city next children court "
    "money party work long game school war life good help media plan report power win water food"
).split()
_SYLLABLES = (
    "ba be bo da de di do fa fe ga go ha hi ka ko la le lo ma me mi mo na ne no pa pe po ra re ri "
    "ro sa se si so ta te ti to va ve vi vo wa we zo ling ster ton ment tion er ing"
).split()
_INVENTED = 20_000
_ON_THEME = (
    "The home secretary said that asylum seekers were brought by people smugglers in small boats.",
    "Detectives arrested members of an organised crime gang accused of drug trafficking.",
    "Campaigners oppose lawful access to messages protected by end-to-end encryption.",
    "The judges stopped the deportation of refugees who had crossed the border illegally.",
)
_LENGTH = 2_150  # characters of text; with its other fields a record has about 2.4 kB


def write_corpus(path: Path, articles: int, seed: int = 1) -> None:
    """Write *articles* JSON Lines records to *path*."""
    chance = random.Random(seed)  # noqa: S311 # no secret
    invented = (
        "".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))) for _ in range(_INVENTED)
    )
    words = [*dict.fromkeys([*_COMMON, *invented])]
    weights = list(
        accumulate((2 if rank < len(_COMMON) else 1) / (rank + 3) for rank in range(len(words)))
    )
    with path.open("wb") as file:
        for number in range(articles):
            file.write(orjson.dumps(_article(number, words, weights, chance)) + b"\n")


def _article(
    number: int, words: list[str], weights: list[float], chance: random.Random
) -> dict[str, str]:
    sentences: list[str] = []
    length = 0
    while length < _LENGTH:
        drawn = chance.choices(words, cum_weights=weights, k=chance.randint(8, 24))
        sentence = " ".join(drawn).capitalize() + "."
        sentences.append(sentence)
        length += len(sentence) + 1
    if number % 10 == 0:
        sentences.insert(chance.randrange(len(sentences)), chance.choice(_ON_THEME))
    paragraphs = [" ".join(sentences[i : i + 4]) for i in range(0, len(sentences), 4)]
    return {
        "url": f"https://www.paper{number % 40}.example/news/2026/11/story-{number}",
        "title": " ".join(chance.choices(words, cum_weights=weights, k=8)).capitalize(),
        "text": "\n".join(paragraphs),
        "source": f"Paper {number % 40}",
        "published": f"2026-11-{1 + number % 20:02}T{number % 24:02}:00:00Z",
    }
