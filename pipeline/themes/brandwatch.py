"""Queries of Brandwatch: a file holds one, and its name is the theme's.

Read are words with `*` and `?`, "phrases", {words in this case}, AND, OR and
NOT, brackets, "these words"~5, NEAR/5 and NEAR/5f (in this order), title:,
site:, language: and <<<comments>>>. A space between two words is AND. The
number of a NEAR or ~ is that of the words in between, so that NEAR/0 is next to
each other: one less than in a theme file.
"""

from pathlib import Path

from lark import Lark, Token, Tree, UnexpectedInput

from pipeline.themes.imported import ImportedTheme, Importing, identifier, read_text
from transforms.errors import ConfigError
from transforms.logic.language import normalise_code
from transforms.logic.themes.expressions import (
    AndNot,
    Expression,
    InField,
    Near,
    Stated,
    gives_evidence,
)
from transforms.logic.themes.syntax import QueryError, both, either, parse_query

_WEIGHT, _FOCUS = 3.0, 9.0
_DEEPEST = 50  # brackets in one another

_GRAMMAR = Lark(
    r"""
    start: either
    either: each (_OR each)*
    each: NOT? near (_AND? NOT? near)*
    near: item (NEAR item)*
    ?item: WORD -> word
         | PHRASE WITHIN? -> phrase
         | CASED -> cased
         | FIELD item -> in_field
         | "(" either ")" WITHIN? -> group

    _AND.3: /AND(?![^\s()"{}])/
    _OR.3: /OR(?![^\s()"{}])/
    NOT.3: /NOT(?![^\s()"{}])/
    NEAR.3: /NEAR\/\d{1,3}f?(?![^\s()"{}])/
    FIELD.2: /[A-Za-z]+:(?=[^\s)])/
    WITHIN.2: /~\d{1,3}/
    PHRASE: /"[^"]*"/
    CASED: /\{[^{}]*\}/
    WORD: /[^\s()"{}]+/
    COMMENT.4: /<<<[\s\S]*?>>>/
    %ignore COMMENT
    %ignore /\s+/
    """,
    parser="lalr",
    lexer="basic",  # so that an operator is one wherever it stands
    propagate_positions=True,
)


class _LeftOutError(Exception):
    """Something that no rule can say."""

    def __init__(self, place: str, what: str) -> None:
        super().__init__(what)
        self.place = place


def import_brandwatch(path: Path, importing: Importing) -> None:
    """Read the query in *path* as a theme, called as the file.

    Raises:
        ConfigError: the file holds no query, or another file gave a theme of this name.
    """
    text = read_text(path).translate(dict.fromkeys(map(ord, "“”„"), '"'))
    theme = ImportedTheme(
        name=identifier(path.stem),
        title=path.stem.replace("_", " "),
        description="Imported from a query of Brandwatch.",
        mention=_WEIGHT,
        focus=_FOCUS,
    )
    if theme.name in importing.themes:
        raise ConfigError(f"{path}: the name {theme.name!r} is there already")
    importing.themes[theme.name] = theme
    try:
        tree = _GRAMMAR.parse(text)
    except UnexpectedInput as error:
        place = f"{path}:{error.line}:{error.column}" if error.line > 0 else str(path)
        shown = error.get_context(text).rstrip() if error.line > 0 else "it ends too early"
        raise ConfigError(f"{place}: no query of Brandwatch:\n{shown}") from error
    try:
        expression = _Reader(path, theme, importing).read(tree)
    except _LeftOutError as error:
        importing.note(error.place, theme.name, f"left out: the query: {error}")
    else:
        importing.add_query(theme, expression, _WEIGHT, str(path), theme.name)


class _Reader:
    """Turns the tree of a query into ours."""

    def __init__(self, path: Path, theme: ImportedTheme, importing: Importing) -> None:
        self._path = path
        self._theme = theme
        self._importing = importing
        self._brackets = 0
        self._unwanted = False  # whether what is read makes the query find less

    def read(self, tree: Tree[Token], field: str | None = None) -> Expression:
        """The expression of *tree*, whose words are looked for in *field*.

        Raises:
            _LeftOutError: it cannot be said; whoever can do without it notes that.
        """
        first = tree.children[0]
        match tree.data:
            case "either":
                return self._either(tree, field)
            case "each":
                return self._each(tree, field)
            case "near":
                return self._near(tree, field)
            case "word":
                return self._term(tree, str(first), field)
            case "cased":
                return self._term(tree, str(first)[1:-1], field, cased=True)
            case "phrase":
                return self._phrase(tree, field)
            case "in_field":
                return self._in_field(tree, field)
            case "group" if len(tree.children) > 1:
                raise self._left_out(tree, "~ after brackets cannot be said here")
            case "group":
                self._brackets += 1
                if self._brackets > _DEEPEST:
                    what = f"more than {_DEEPEST} brackets in one another"
                    raise ConfigError(f"{self._place(tree)}: {what}")
                inner = self.read(_tree(first), field)
                self._brackets -= 1
                return inner
            case _:  # start
                return self.read(_tree(first), field)

    def _either(self, tree: Tree[Token], field: str | None) -> Expression:
        parts = []
        for child in tree.children:
            try:
                parts.append(self.read(_tree(child), field))
            except _LeftOutError as error:
                if len(tree.children) == 1:
                    raise
                self._note(error, finds_less=not self._unwanted)
        if not parts:
            raise self._left_out(tree, "none of what OR joins can be said here")
        with_words = list(filter(gives_evidence, parts))
        if with_words and len(with_words) < len(parts):
            mixed = self._left_out(tree, "site: and language: beside words, with OR between")
            self._note(mixed, finds_less=not self._unwanted)
        return either(with_words or parts)

    def _each(self, tree: Tree[Token], field: str | None) -> Expression:
        wanted: list[Expression] = []
        unwanted: list[Expression] = []
        negated, mistake, outside = False, None, self._unwanted
        for child in tree.children:
            if isinstance(child, Token):
                negated = True
                continue
            self._unwanted = outside ^ negated
            try:
                (unwanted if negated else wanted).append(self.read(child, field))
            except _LeftOutError as error:
                mistake = error
                if len(tree.children) == 1:
                    raise
                self._note(error, finds_less=outside)
            finally:
                self._unwanted = outside
            negated = False
        if not wanted:
            raise mistake or self._left_out(tree, "NOT has nothing beside it that is wanted")
        found = both(wanted)
        return AndNot(found, either(unwanted)) if unwanted else found

    def _near(self, tree: Tree[Token], field: str | None) -> Expression:
        first, *others = tree.children
        found = self.read(_tree(first), field)
        for operator, operand in zip(others[::2], others[1::2], strict=True):
            between = str(operator).removeprefix("NEAR/")
            right = self.read(_tree(operand), field)
            ordered = between.endswith("f")
            found = Near(found, right, int(between.rstrip("f")) + 1, ordered)
        return found

    def _phrase(self, tree: Tree[Token], field: str | None) -> Expression:
        phrase, *within = map(str, tree.children)
        words = phrase[1:-1].split()
        if not within or len(words) < 2:
            return self._term(tree, phrase[1:-1], field)
        distance = int(within[0][1:]) + 1
        found = self._term(tree, words[0], field)
        for word in words[1:]:
            found = Near(found, self._term(tree, word, field), distance, ordered=False)
        if len(words) > 2:
            self._importing.note(
                self._place(tree),
                self._theme.name,
                f"{phrase}{within[0]}: the number now counts between each word and those before "
                "it, so that the query finds more",
            )
        return found

    def _in_field(self, tree: Tree[Token], field: str | None) -> Expression:
        name, inner = str(tree.children[0])[:-1].lower(), _tree(tree.children[1])
        if field is not None:
            raise self._left_out(tree, f"{name}: inside {field}: cannot be said here")
        if name == "title":
            return InField("title", self.read(inner, name))
        if name == "raw":
            return self.read(inner, name)
        if name == "site":
            self._importing.note(
                self._place(tree),
                self._theme.name,
                "site: is source: now, and compared with the name of the source",
            )
        elif name not in ("language", "lang"):
            raise self._left_out(tree, f"{name}: cannot be said here")
        return self.read(inner, name)

    def _term(
        self, tree: Tree[Token], written: str, field: str | None, *, cased: bool = False
    ) -> Expression:
        if written[:1] in ("-", "+"):
            raise self._left_out(tree, f"{written!r}: {written[0]} before a word")
        words = written.lstrip("#@")
        if words != written:
            self._importing.note(
                self._place(tree), self._theme.name, f"{written!r}: read as {words!r}"
            )
        if field == "site":
            return Stated("source", words)
        if field in ("language", "lang"):
            code = normalise_code(words)
            if code is None:
                raise self._left_out(tree, f"{words!r} is no language")
            return Stated("lang", code)
        try:
            return parse_query(f'="{words}"' if cased or field == "raw" else f'"{words}"')
        except QueryError as error:
            raise self._left_out(tree, f"{words!r}: {error.message}") from error

    def _place(self, tree: Tree[Token]) -> str:
        return f"{self._path}:{tree.meta.line}:{tree.meta.column}"

    def _left_out(self, tree: Tree[Token], what: str) -> _LeftOutError:
        return _LeftOutError(self._place(tree), what)

    def _note(self, error: _LeftOutError, *, finds_less: bool) -> None:
        effect = f"so that the query finds {'less' if finds_less else 'more'}"
        self._importing.note(error.place, self._theme.name, f"left out: {error}, {effect}")


def _tree(child: Token | Tree[Token]) -> Tree[Token]:
    assert isinstance(child, Tree)  # noqa: S101 # as the grammar has it
    return child
