"""A generated corpus: articles of about 2.4 kB, one in ten with a theme. Same seed, same bytes."""

import random
from pathlib import Path

import orjson

_WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "a",
    "is",
    "that",
    "for",
    "on",
    "was",
    "with",
    "as",
    "it",
    "by",
    "at",
    "from",
    "his",
    "her",
    "they",
    "have",
    "been",
    "said",
    "government",
    "minister",
    "report",
    "company",
    "market",
    "council",
    "season",
    "player",
    "river",
    "music",
    "school",
    "price",
    "energy",
    "report",
    "member",
    "train",
    "festival",
    "budget",
    "weather",
    "garden",
    "hospital",
    "library",
    "museum",
    "harbour",
    "review",
    "summer",
    "winter",
    "morning",
    "evening",
    "people",
    "family",
    "teacher",
    "student",
    "manager",
    "project",
    "result",
    "village",
    "station",
    "kitchen",
    "science",
    "planet",
    "engine",
    "window",
    "bridge",
    "paper",
    "colour",
    "number",
    "question",
    "answer",
    "history",
    "picture",
    "future",
    "country",
    "region",
    "science",
    "travel",
    "health",
    "culture",
    "sport",
    "finance",
]
_ON_THEME = (
    "The home secretary said that asylum seekers were brought by people smugglers in small boats.",
    "Police arrested members of an organised crime gang accused of drug trafficking.",
    "Ministers want lawful access to messages protected by end-to-end encryption.",
    "The court stopped the deportation of refugees who had crossed the border illegally.",
)
_LENGTH = 2_300  # characters of text; with its other fields a record has about 2.4 kB


def write_corpus(path: Path, articles: int, seed: int = 1) -> None:
    """Write *articles* JSON Lines records to *path*."""
    chance = random.Random(seed)  # noqa: S311 # no secret
    with path.open("wb") as file:
        for number in range(articles):
            file.write(orjson.dumps(_article(number, chance)) + b"\n")


def _article(number: int, chance: random.Random) -> dict[str, str]:
    sentences: list[str] = []
    length = 0
    while length < _LENGTH:
        words = chance.choices(_WORDS, k=chance.randint(8, 24))
        sentence = " ".join(words).capitalize() + "."
        sentences.append(sentence)
        length += len(sentence) + 1
    if number % 10 == 0:
        sentences.insert(chance.randrange(len(sentences)), chance.choice(_ON_THEME))
    paragraphs = [" ".join(sentences[i : i + 4]) for i in range(0, len(sentences), 4)]
    day, hour = 1 + number % 20, number % 24
    return {
        "url": f"https://www.paper{number % 40}.example/news/2026/11/story-{number}",
        "title": " ".join(chance.choices(_WORDS, k=8)).capitalize(),
        "text": "\n".join(paragraphs),
        "source": f"Paper {number % 40}",
        "published": f"2026-11-{day:02}T{hour:02}:00:00Z",
    }
