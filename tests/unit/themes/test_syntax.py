"""What a query says, and how a mistake in one is told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.logic.themes.expressions import (
    And,
    AndNot,
    AtLeast,
    Expression,
    InField,
    Near,
    NotNear,
    Or,
    Stated,
    Term,
    Together,
    gives_evidence,
)
from transforms.logic.themes.syntax import (
    DEEPEST,
    LONGEST,
    QueryError,
    both,
    either,
    parse_definition,
    parse_query,
    parse_term,
    to_text,
)

A, B, C, D = map(Term, "abcd")


def fault(query: str, definitions: dict[str, str] | None = None) -> tuple[int, str]:
    """Where a mistake is, from 0, and what is said of it."""
    with pytest.raises(QueryError) as raised:
        parse_query(query, definitions)
    return raised.value.at, raised.value.message


# Words


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("smuggl*", "smuggl*"),
        ("*grant", "*grant"),
        ("wom?n", "wom?n"),
        ("Asylum", "asylum"),
        ("end-to-end", "end to end"),
        ("end–to–end", "end to end"),
        ('"asylum  seeker*"', "asylum seeker*"),
        ("“asylum seeker”", "asylum seeker"),
        ("„Asyl beantragt“", "asyl beantragt"),
        ("«droit d’asile»", "droit d'asile"),
        ("»Asyl beantragt«", "asyl beantragt"),
        ("don't", "don't"),
        ("and", "and"),
        ("near", "near"),
        ("Or", "or"),
        ('"AND"', "and"),
        ('"NEAR/5"', "near/5"),
        ("ANDREA", "andrea"),
        ("NOTHING", "nothing"),
        ("ORBAN", "orban"),
        ("2030", "2030"),
        ("5g", "5g"),
        ("c++", "c++"),
        ("R&B", "r&b"),
        ("AT&T", "at&t"),
        ("U.S.", "u.s."),
        ("24/7", "24/7"),
        ("#refugees", "#refugees"),
        ("$100", "$100"),
        ('"12:30"', "12:30"),
        ('"Paris, Texas"', "paris, texas"),
        ("Überwachung", "überwachung"),
        ("U\u0308berwachung", "überwachung"),
        ("беженцы", "беженцы"),
        ("हिन्दी", "हिन्दी"),
        ("移民", "移民"),
        ("لاجئ", "لاجئ"),
        (" \n border\t", "border"),
    ],
)
def test_a_word_or_a_quoted_phrase(query: str, words: str) -> None:
    assert parse_query(query) == Term(words)


@pytest.mark.parametrize(
    ("query", "words", "exact"),
    [
        ("=US", "us", "US"),
        ('="Visa Inc"', "visa inc", "Visa Inc"),
        ("=“Visa  Inc”", "visa inc", "Visa Inc"),
        ("=Zu\u0308rich", "zürich", "Zürich"),
        ("=AND", "and", "AND"),
        ("=end-to-end", "end to end", "end-to-end"),
    ],
)
def test_an_exact_word_or_phrase(query: str, words: str, exact: str) -> None:
    assert parse_query(query) == Term(words, exact)


# Operators


@pytest.mark.parametrize(
    ("query", "expression"),
    [
        ("a OR b OR c", Or((A, B, C))),
        ("a OR (b OR c)", Or((A, B, C))),
        ("a AND b AND c", And((A, B, C))),
        ("(a AND b) AND c", And((A, B, C))),
        ("a AND b OR c AND d", Or((And((A, B)), And((C, D))))),
        ("a AND (b OR c)", And((A, Or((B, C))))),
        ("((a))", A),
        ("(a)OR(b)", Or((A, B))),
        ("a NOT b", AndNot(A, B)),
        ("a AND NOT b", AndNot(A, B)),
        ("NOT b AND a", AndNot(A, B)),
        ("a NOT b NOT c", AndNot(A, Or((B, C)))),
        ("a NOT (b OR c)", AndNot(A, Or((B, C)))),
        ("a NOT b AND c", AndNot(And((A, C)), B)),
        ("a NOT (b AND c)", AndNot(A, And((B, C)))),
        ("(a NOT b) NOT c", AndNot(AndNot(A, B), C)),
        ("a NOT b OR c", Or((AndNot(A, B), C))),
        ("a NEAR/5 b", Near(A, B, 5, False)),
        ("a ADJ/1 b", Near(A, B, 1, True)),
        ("a NEAR/S b", Together(A, B, "sentence")),
        ("a NEAR/P b", Together(A, B, "paragraph")),
        ("a NOT NEAR/5 b", NotNear(A, B, 5, None)),
        ("a NOT\nNEAR/S b", NotNear(A, B, None, "sentence")),
        ("a NOT NEAR/P b", NotNear(A, B, None, "paragraph")),
        ("a NEAR/2 b ADJ/3 c", Near(Near(A, B, 2, False), C, 3, True)),
        ("a NEAR/2 (b ADJ/3 c)", Near(A, Near(B, C, 3, True), 2, False)),
        ("a NEAR/2 b NOT NEAR/3 c", NotNear(Near(A, B, 2, False), C, 3, None)),
        ("a AND b NEAR/2 c", And((A, Near(B, C, 2, False)))),
        ("a NOT b NEAR/2 c", AndNot(A, Near(B, C, 2, False))),
        ("title:a", InField("title", A)),
        ("lead: a", InField("lead", A)),
        ("text:(a OR b)", InField("text", Or((A, B)))),
        ("title:a AND b", And((InField("title", A), B))),
        ("title:a NEAR/2 b", Near(InField("title", A), B, 2, False)),
        ("text:lead:a", InField("text", InField("lead", A))),
        ("ATLEAST/3 (a OR b)", AtLeast(3, Or((A, B)))),
        ("ATLEAST/3 a AND b", And((AtLeast(3, A), B))),
        ("title:ATLEAST/2 a", InField("title", AtLeast(2, A))),
        ("=A OR a", Or((Term("a", "A"), A))),
        ('a AND source:"BBC News"', And((A, Stated("source", "bbc news")))),
        ("a AND source:BBC*", And((A, Stated("source", "bbc*")))),
        ("a NOT lang:DE", AndNot(A, Stated("lang", "de"))),
        (
            "a AND (lang:de OR lang:fr)",
            And((A, Or((Stated("lang", "de"), Stated("lang", "fr"))))),
        ),
        (
            "(lang:de NOT source:taz) AND a",
            And((AndNot(Stated("lang", "de"), Stated("source", "taz")), A)),
        ),
    ],
)
def test_what_operators_mean(query: str, expression: Expression) -> None:
    assert parse_query(query) == expression


def test_terms_know_where_they_stand() -> None:
    expression = parse_query('  aa AND "bb cc" OR title:(=dd)')
    assert expression == Or((And((Term("aa"), Term("bb cc"))), InField("title", Term("dd", "dd"))))
    assert [term.at for term in terms_in(expression)] == [2, 9, 27]


def terms_in(expression: Expression) -> list[Term]:
    match expression:
        case Term():
            return [expression]
        case Or(parts) | And(parts):
            return [term for part in parts for term in terms_in(part)]
        case InField(inner=inner):
            return terms_in(inner)
    raise AssertionError(expression)


# Names


def test_a_name_stands_for_a_query_as_if_in_brackets() -> None:
    names = {"borders": "border* OR @frontiers", "frontiers": "frontier*"}
    borders = Or((Term("border*"), Term("frontier*")))
    assert parse_query("@borders", names) == borders
    assert parse_query("a AND @borders", names) == And((A, borders))


def test_a_name_may_stand_for_sources_alone() -> None:
    names = {"ours": "source:taz OR source:Zeit", "a": "a"}
    assert parse_query("a NOT @ours", names) == AndNot(
        A, Or((Stated("source", "taz"), Stated("source", "zeit")))
    )
    assert parse_definition("ours", names) == parse_query("a NOT @ours", names).unwanted  # type: ignore[union-attr]
    assert fault("@ours", names)[1].startswith("source: and lang: find no words")


def test_terms_of_a_name_stand_where_the_name_does() -> None:
    expression = parse_query("xx OR @outer", {"outer": "   @inner", "inner": "aa OR bb"})
    assert [term.at for term in terms_in(expression)] == [0, 6, 6]


@pytest.mark.parametrize(
    ("query", "names", "expected"),
    [
        ("a OR @bordrs", {"borders": "b"},
         (5, "no definition has the name @bordrs; did you mean @borders?")),
        ("@x", {}, (0, "no definition has the name @x")),
        ("@x", {"x": "a OR @x"}, (0, "in @x: @x is made of itself: @x → @x")),
        ("@x", {"x": "a OR @y", "y": "@x"},
         (0, "in @x: in @y: @x is made of itself: @x → @y → @x")),
        ("a OR @x", {"x": "b c"},
         (5, "in @x: there is no operator between 'b' and 'c': put quotes around a phrase, or AND "
          "between")),
        ("a OR @x", {"x": ""}, (5, "in @x: the query is empty")),
        ("dam NOT @x", {"x": "dam*"},
         (0, "'dam' can never match: 'dam*', which is unwanted, is found wherever it is")),
    ],
)  # fmt: skip
def test_a_mistake_with_a_name(
    query: str, names: dict[str, str], expected: tuple[int, str]
) -> None:
    assert fault(query, names) == expected


def test_a_mistake_says_in_which_definition_it_is() -> None:
    names = {"x": "@y", "y": "a b"}
    with pytest.raises(QueryError) as raised:
        parse_query("@x", names)
    assert raised.value.name == "y"
    with pytest.raises(QueryError) as raised:
        parse_definition("y", names)
    assert (raised.value.name, raised.value.at) == (None, 2)


def test_names_that_grow_without_end_are_refused() -> None:
    names = {f"n{number}": f"@n{number + 1} OR (@n{number + 1} AND a)" for number in range(15)}
    assert fault("@n0", names | {"n15": "b"})[1].endswith(
        "more than 10,000 parts, with those that the names stand for"
    )
    chain = {f"n{number}": f"@n{number + 1}" for number in range(1000)}
    assert fault("@n0", chain)[1].endswith("more than 20 names in one another")


# Mistakes

_BETWEEN = "put quotes around a phrase, or AND between"
_UNITS = "NEAR/5, NEAR/S for one sentence or NEAR/P for one paragraph"
_KNOWN = (
    "known: AND, OR, NOT, NEAR/5, NEAR/S, NEAR/P, ADJ/5, ATLEAST/2; put quotes around what is none"
)


@pytest.mark.parametrize(
    ("query", "at", "message"),
    [
        ("", 0, "the query is empty"),
        (" \n", 0, "the query is empty"),
        ("dam wall", 4, f"there is no operator between 'dam' and 'wall': {_BETWEEN}"),
        ("title:dam wall", 10, f"there is no operator between 'dam' and 'wall': {_BETWEEN}"),
        ('"a b" c', 6, f"""there is no operator between '"a b"' and 'c': {_BETWEEN}"""),
        ("a (b)", 2, f"there is no operator between 'a' and '(': {_BETWEEN}"),
        ("(a) b", 4, f"there is no operator between ')' and 'b': {_BETWEEN}"),
        ("a title:b", 2, f"there is no operator between 'a' and 'title:': {_BETWEEN}"),
        ("a and b", 2,
         "'and' in small letters is a word: write AND, or put quotes around a phrase"),
        ("(a OR b", 0, "this bracket is not closed"),
        ("a OR (b AND (c)", 5, "this bracket is not closed"),
        ("a OR b)", 6, "this bracket closes none"),
        ("()", 0, "nothing stands in these brackets"),
        ("a OR ()", 5, "nothing stands in these brackets"),
        ("a AND", 2, "nothing stands after 'AND'"),
        ("(a OR)", 3, "nothing stands after 'OR'"),
        ("AND a", 0, "nothing stands before 'AND'"),
        ("a OR (NEAR/5 b)", 6, "nothing stands before 'NEAR/5'"),
        ("a OR AND b", 2, "nothing stands after 'OR'"),
        ("title:", 0, "nothing stands after 'title:'"),
        ("a NEAR/5", 2, "nothing stands after 'NEAR/5'"),
        ("a NOT", 2, "nothing stands after 'NOT'"),
        ("NOT NOT a", 0, "nothing stands after 'NOT'"),
        ('""', 0, "nothing stands in these quotes"),
        ('a OR " "', 5, "nothing stands in these quotes"),
        ('=""', 1, "nothing stands in these quotes"),
        ('a OR "b', 5, "this quote is not closed"),
        ("a NEAR b", 2, f"'NEAR': NEAR needs a slash and a number behind it: {_UNITS}"),
        ("a NEAR/ b", 2, f"'NEAR/': NEAR needs a slash and a number behind it: {_UNITS}"),
        ("a NEAR/x b", 2, f"'NEAR/x': NEAR needs a slash and a number behind it: {_UNITS}"),
        ("a NEAR5 b", 2, f"'NEAR5': NEAR needs a slash and a number behind it: {_UNITS}"),
        ("a ADJ/S b", 2, "'ADJ/S': ADJ needs a slash and a number behind it: ADJ/5"),
        ("ATLEAST(a)", 0, "'ATLEAST': ATLEAST needs a slash and a number behind it: ATLEAST/5"),
        ("a near/5 b", 2,
         "operators are written in capitals: NEAR/5; or put quotes around 'near/5'"),
        ("a WITHIN/5 b", 2, f"unknown operator 'WITHIN/5'; {_KNOWN}"),
        ("a XOR b", 2, f"unknown operator 'XOR'; {_KNOWN}"),
        ("a AND/OR b", 2, f"unknown operator 'AND/OR'; {_KNOWN}"),
        ("a NEAR/0 b", 2, "'NEAR/0': the number is from 1 (neighbours are 1 apart) to 1,000"),
        ("a ADJ/1001 b", 2, "'ADJ/1001': the number is from 1 (neighbours are 1 apart) to 1,000"),
        ("a NEAR/" + "9" * 5000 + " b", 2, f"'NEAR/{'9' * 5000}': the number is from 1 "
         "(neighbours are 1 apart) to 1,000"),
        ("ATLEAST/0 (a)", 0, "'ATLEAST/0': the number is from 1 to 1,000"),
        ("a NOT ADJ/3 b", 2, "NOT ADJ/3 is no operator: NOT NEAR/5 is"),
        ("a NEAR/3 NOT b", 9, "NOT stands before NEAR: A NOT NEAR/3 B"),
        ("NOT a", 0, "NOT needs something beside it that is wanted: A NOT B"),
        ("a OR NOT b", 5, "NOT needs something beside it that is wanted: A NOT B"),
        ("a AND (NOT b)", 7, "NOT needs something beside it that is wanted: A NOT B"),
        ("fl*", 0, "'fl*': a word with a wildcard needs at least 3 letters or digits"),
        ('a OR "river fl*"', 12,
         "'fl*': a word with a wildcard needs at least 3 letters or digits"),
        ("d'a*", 2, "'a*': a word with a wildcard needs at least 3 letters or digits"),
        ("20??", 0, "'20??': a word with a wildcard needs at least 3 letters or digits"),
        ("*", 0, "'*' can never match: it has no letter or digit"),
        ("++", 0, "'+' before a word means nothing; or put quotes around it"),
        ('"--"', 0, "'--' can never match: it has no letter or digit"),
        ("a & b", 2, "'&' means nothing: write AND"),
        ("a -b", 2, "'-' before a word means nothing: write NOT; or put quotes around it"),
        ("a | b", 2, "'|' means nothing here: write OR"),
        ("a, b", 1, "',' means nothing here: write OR"),
        ("a~5", 1, "'~' means nothing here: write NEAR/5"),
        ("[a]", 0, "'[' means nothing here: brackets are ( and )"),
        ("a^2", 1, "'^' means nothing here: leave it out"),
        ('"a (b) c"', 3, "'(' cannot be part of a word or phrase"),
        ("= US", 0, "'=' stands right before a word or a quoted phrase: =US"),
        ("a=b", 1, f"there is no operator between 'a' and '=b': {_BETWEEN}"),
        ("@ x", 0, "'@' stands right before the name of a definition: @name"),
        ("body:a", 0, "unknown field 'body:'; known: title, lead, text, source, lang"),
        ("b OR titel:a", 5, "unknown field 'titel:'; did you mean title:"),
        ("12:30", 2, "':' means nothing here: put quotes around what it is part of"),
        ("source:BBC", 0,
         "source: and lang: find no words: put AND and what is to be found beside them"),
        ("lang:de AND source:BBC", 0,
         "source: and lang: find no words: put AND and what is to be found beside them"),
        ("a OR lang:de", 2, "source: and lang: find no words: AND stands between them and what is "
         "to be found, not OR"),
        ("a NEAR/5 lang:de", 2,
         "source: and lang: find no words: they cannot stand with 'NEAR/5', but with AND and NOT"),
        ("title:lang:de", 0,
         "source: and lang: find no words: they cannot stand with 'title:', but with AND and NOT"),
        ("a AND source:(b OR c)", 6,
         'source: takes one word or quoted phrase: source:"BBC News"; join several with OR'),
        ("a AND lang:=DE", 6,
         "lang: takes one word or quoted phrase: lang:de; join several with OR"),
        ("a AND lang:german", 6, "'german' is no language: write a code such as de or en"),
        ("title:text:a", 0, "'a' can never match: it is looked for in two fields at once"),
        ("title:(b AND lead:a)", 0, "'a' can never match: it is looked for in two fields at once"),
        ("title:a NEAR/5 lead:b", 8,
         "'NEAR/5' can never match: one side is in the title, the other in the text"),
        ("title:a NEAR/P text:b", 8,
         "'NEAR/P' can never match: one side is in the title, the other in the text"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_words_at_its_character(query: str, at: int, message: str) -> None:
    assert fault(query) == (at, message)


@pytest.mark.parametrize(
    ("query", "at", "wanted", "unwanted"),
    [
        ("dam NOT dam", 0, "dam", "dam"),
        ("dams NOT dam*", 0, "dams", "dam*"),
        ('river AND "dam wall" NOT dam', 10, "dam wall", "dam"),
        ("(river OR dam) NOT (lake OR dam)", 10, "dam", "dam"),
        ("labour NOT labor", 0, "labour", "labor"),
        ("title:dam NOT dam", 6, "dam", "dam"),
        ("lead:dam NOT text:dam", 5, "dam", "dam"),
        ("=Dam NOT dam", 0, "Dam", "dam"),
        ("=Dam NOT =Dam", 0, "Dam", "Dam"),
        ("dams NOT NEAR/5 dam*", 0, "dams", "dam*"),
        ("हिन्दी NOT हिन्दी", 0, "हिन्दी", "हिन्दी"),
    ],
)
def test_what_is_wanted_and_unwanted_at_once(
    query: str, at: int, wanted: str, unwanted: str
) -> None:
    assert fault(query) == (
        at,
        f"{wanted!r} can never match: {unwanted!r}, which is unwanted, is found wherever it is",
    )


@pytest.mark.parametrize(
    "query",
    [
        "dam* NOT dams",
        'dam NOT "dam wall"',
        'dam NOT NEAR/3 "dam wall"',
        "dam NOT title:dam",
        "text:dam NOT lead:dam",
        "dam NOT =Dam",
        "dam NOT (dam AND river)",
        "dam NOT ATLEAST/3 dam",
        "हिन्दी NOT हिन",
    ],
)
def test_what_is_unwanted_only_sometimes_holds(query: str) -> None:
    assert isinstance(parse_query(query), AndNot | NotNear)


def test_the_message_begins_with_the_character_counted_from_one() -> None:
    with pytest.raises(QueryError, match=r"^character 8: this bracket closes none$"):
        parse_query("a OR b )")


def test_how_long_and_how_deep_a_query_may_be() -> None:
    longest = " OR ".join(["word"] * ((LONGEST + 4) // 8))
    assert isinstance(parse_query(longest), Or)
    assert fault("a" * (LONGEST + 1)) == (LONGEST, "longer than 10,000 characters")
    assert parse_query("(" * 4000 + "a" + ")" * 4000) == A
    deep = " NEAR/1 ".join(["a"] * DEEPEST)
    assert isinstance(parse_query(deep), Near)
    assert fault(deep + " NEAR/1 a") == (0, "more than 200 operators in one another")
    assert fault("ATLEAST/2 " * 500 + "a")[1] == "more than 200 operators in one another"


# Entries of a list of terms


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("asylum seeker*", Term("asylum seeker*")),
        (" End-to-end  encryption ", Term("end to end encryption")),
        ("'Ndrangheta", Term("'ndrangheta")),
        ("=ICE", Term("ice", "ICE")),
        ("=Visa Inc", Term("visa inc", "Visa Inc")),
        ("search and rescue", Term("search and rescue")),
        ("OR", Term("or")),
        ("12:30", Term("12:30")),
        ("Paris, Texas", Term("paris, texas")),
    ],
)
def test_a_term_is_a_phrase_as_a_whole(text: str, term: Term) -> None:
    assert parse_term(text) == term


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("dam AND river", 4,
         "'AND' is an operator, and stands in queries alone: a term is a word or phrase"),
        ("dam NEAR/5 river", 4,
         "'NEAR/5' is an operator, and stands in queries alone: a term is a word or phrase"),
        ('"dam wall"', 0, "a term is a phrase as a whole: leave out the quotes"),
        ("the „Damm“", 4, "a term is a phrase as a whole: leave out the quotes"),
        ("(dam)", 0, "'(' cannot be part of a word or phrase"),
        ("dam|river", 3, "'|' cannot be part of a word or phrase"),
        ("title:dam", 0, "'title:' is a field, and stands in queries alone"),
        ("@dams", 0, "a name such as @this stands in queries alone"),
        ("--", 0, "'--' can never match: it has no letter or digit"),
        ("", 0, "'' can never match: it has no letter or digit"),
        ("river fl*", 6, "'fl*': a word with a wildcard needs at least 3 letters or digits"),
    ],
)  # fmt: skip
def test_what_a_term_cannot_be(text: str, at: int, message: str) -> None:
    with pytest.raises(QueryError) as raised:
        parse_term(text)
    assert (raised.value.at, raised.value.message) == (at, message)


# Writing


@pytest.mark.parametrize(
    "query",
    [
        "a OR b AND c",
        "(a OR b) AND c NOT d",
        "(a NOT b) AND c",
        "(a NOT b) NOT c",
        "a NEAR/3 (b OR c) NOT NEAR/P d",
        "a ADJ/3 (b NEAR/S c)",
        'title:a AND lead:(b OR "c d")',
        "ATLEAST/2 (a AND =B)",
        'a AND source:"bbc news" NOT lang:de',
        '"and/or" OR "-1" OR "xor" OR "12:30"',
        '="NEAR" OR "near/5" OR near',
    ],
)
def test_a_query_is_written_as_it_is_read(query: str) -> None:
    assert parse_query(to_text(parse_query(query))) == parse_query(query)


def test_a_query_is_written_with_the_fewest_marks() -> None:
    query = 'a AND (b OR "c d") NOT e NEAR/3 (f OR g) OR title:h OR =US OR ATLEAST/2 (i OR j)'
    assert to_text(parse_query(query)) == query


def _term_of(text: str) -> Term | None:
    try:
        return parse_term(text)
    except QueryError:
        return None


_words = st.one_of(
    st.sampled_from(
        "border migrant* wom?n AND or NOT near/5 XOR c++ R&B 移民 réfugié -1 @x title: 12:30 24/7 "
        "d'asile end-to-end don’t straße".split()
    ),
    st.text(max_size=8),
)
_terms = (
    st.builds(lambda words, mark: _term_of(mark + " ".join(words)),
              st.lists(_words, min_size=1, max_size=3), st.sampled_from(["", "="]))
    .filter(lambda term: term is not None)
)  # fmt: skip
_conditions = st.one_of(
    st.builds(Stated, st.just("source"), _terms.map(lambda term: term.words)),
    st.builds(Stated, st.just("lang"), st.sampled_from(["de", "en", "und"])),
)
_units: Any = st.sampled_from(["sentence", "paragraph"])
_numbers = st.integers(1, 1000)


def _larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=2, max_size=3)
    with_condition = st.tuples(inner, _conditions).map(both)
    return st.one_of(
        several.map(either),
        several.map(both),
        with_condition,
        st.builds(AndNot, inner, st.one_of(inner, _conditions)),
        st.builds(Near, inner, inner, _numbers, st.booleans()),
        st.builds(Together, inner, inner, _units),
        st.builds(NotNear, inner, inner, _numbers, st.none()),
        st.builds(NotNear, inner, inner, st.none(), _units),
        st.builds(InField, st.sampled_from(["title", "lead", "text"]), inner),
        st.builds(AtLeast, _numbers, inner),
    )


_expressions = st.recursive(_terms, _larger, max_leaves=8)


def _parsed(query: str, names: dict[str, str]) -> Expression | QueryError:
    try:
        return parse_query(query, names)
    except QueryError as error:
        return error


@given(_expressions)
def test_what_is_written_is_read_as_the_same(expression: Expression) -> None:
    assert gives_evidence(expression)
    read = _parsed(to_text(expression), {})
    if isinstance(read, QueryError):
        assert "can never match" in read.message  # these trees are not checked for that
    else:
        assert read == expression


def _is_read_or_told(query: str) -> None:
    read = _parsed(query, {"e": "f"})
    if isinstance(read, QueryError):
        assert 0 <= read.at <= len(query)
        assert read.message.isprintable()
    else:
        assert parse_query(to_text(read)) == read


@given(st.text(st.sampled_from('ab*"()=@:/ANDORTE5S\n')))
def test_whatever_is_written_is_a_query_or_a_mistake_with_a_place(text: str) -> None:
    _is_read_or_told(text)


_tokens = st.sampled_from(
    ["a", '"b c"', "=D", "@e", "(", ")", "AND", "OR", "NOT", "NEAR/5", "ADJ/2", "NOT NEAR/S",
     "title:", "source:", "ATLEAST/2"]
)  # fmt: skip


@given(st.lists(_tokens, min_size=1, max_size=12).map(" ".join))
def test_whatever_tokens_are_put_in_a_row_the_mistake_is_found(query: str) -> None:
    _is_read_or_told(query)
