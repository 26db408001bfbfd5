"""From bytes to characters, whatever is declared."""

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.errors import Reason, RecordError
from transforms.logic.decoding import decode, encoding_of, is_as_declared, marked_encoding

CAFE = "Café “Zur Brücke” — 5 €"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"))

UNDECLARED = {
    "cp1252": "Le ministre de l’Intérieur a présenté à l’Assemblée un projet de loi sur "
    "l’immigration. Les députés ont déjà déposé près de trois cents amendements.",
    "cp1250": "Minister spraw wewnętrznych zapowiedział w poniedziałek zaostrzenie kontroli "
    "na granicy. Przemytnicy ludzi będą ścigani, wnioski o azyl rozpatrywane szybciej.",
    "cp1251": "Министр внутренних дел объявил в понедельник об усилении контроля на границе.",
    "koi8_r": "Министр внутренних дел объявил в понедельник об усилении контроля на границе.",
    "cp1253": "Ο υπουργός Εσωτερικών ανακοίνωσε τη Δευτέρα αυστηρότερους ελέγχους στα σύνορα.",
    "cp932": "内務大臣は月曜日、国境管理の強化を発表した。野党は不要だと主張している。",
    "euc_jp": "内務大臣は月曜日、国境管理の強化を発表した。野党は不要だと主張している。",
    "gb18030": "内政部长周一宣布加强边境管制。反对党认为这些措施没有必要。",
    "big5": "內政部長週一宣布加強邊境管制。反對黨認為這些措施沒有必要。",
    "cp949": "내무부 장관은 월요일 국경 통제 강화를 발표했다. 야당은 불필요하다고 주장한다.",
}


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("UTF-8", "utf-8", CAFE),
        ("utf8", "utf-8", CAFE),
        ("ISO-8859-1", "cp1252", CAFE),
        ("latin1", "cp1252", CAFE),
        ("us-ascii", "cp1252", CAFE),
        ("Windows-1252", "cp1252", CAFE),
        ("x-cp1252", "cp1252", CAFE),
        ("iso-8859-15", "iso8859_15", "Œuvre à 5 €"),
        ("macintosh", "mac_roman", CAFE),
        ("x-mac-roman", "mac_roman", CAFE),
        ("ISO-8859-2", "iso8859_2", "Łódź"),
        ("windows-1250", "cp1250", "Łódź"),
        ("iso-8859-9", "cp1254", "İstanbul’da"),
        ("iso-8859-5", "iso8859_5", "Москва"),
        ("KOI8-R", "koi8_r", "Москва"),
        ("koi8-u", "koi8_u", "Київ"),
        ("x-mac-cyrillic", "mac_cyrillic", "Москва"),
        ("windows-1251", "cp1251", "Москва"),
        ("cp866", "cp866", "Москва"),
        ("iso-8859-7", "iso8859_7", "Αθήνα"),
        ("iso-8859-8-i", "iso8859_8", "ירושלים"),
        ("windows-1255", "cp1255", "ירושלים"),
        ("windows-1256", "cp1256", "القاهرة"),
        ("windows-874", "cp874", "กรุงเทพ"),
        ("tis-620", "cp874", "กรุงเทพ"),
        ("Shift_JIS", "cp932", "東京①"),
        ("windows-31j", "cp932", "東京①"),
        ("EUC-JP", "euc_jp", "東京"),
        ("iso-2022-jp", "iso2022_jp", "東京"),
        ("gb2312", "gb18030", "北京镕"),
        ("gbk", "gb18030", "北京"),
        ("Big5", "big5", "台北"),
        ("euc-kr", "cp949", "서울똠"),
        ("ks_c_5601-1987", "cp949", "서울"),
    ],
)
def test_what_a_page_or_feed_declares(label: str, codec: str, text: str) -> None:
    for form in (
        '<?xml version="1.0" encoding="{}"?><rss>{}</rss>',
        "<?xml version='1.0' encoding = '{}' ?><rss>{}</rss>",
        '<html><head><meta charset="{}"></head>{}',
        "<html><meta name=a content=b><META CHARSET={} >{}",
        '<html><meta http-equiv="Content-Type" content="text/html; charset={}">{}',
    ):
        page = form.format(label, text)
        assert decode(page.encode(codec), markup=True) == page
    assert decode(text.encode(codec), label) == text


def test_what_a_header_declares_is_asked_first() -> None:
    page = '<meta charset="iso-8859-1">Москва'
    assert decode(page.encode("cp1251"), "windows-1251", markup=True) == page


def test_without_markup_nothing_is_declared_inside() -> None:
    text = "He wrote <meta charset=koi8-r> on the board of the café."
    assert decode(text.encode()) == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@given(TEXT)
def test_a_byte_order_mark_is_believed(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding), "koi8-r", markup=True) == text


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-32-be"])
def test_a_big_endian_mark(encoding: str) -> None:
    assert decode(f"\ufeff{CAFE}".encode(encoding)).lstrip("\ufeff") == CAFE


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_told_by_its_zeros(encoding: str) -> None:
    payload = f'<?xml version="1.0" encoding="utf-16"?><rss>{CAFE}</rss>'.encode(encoding)
    assert marked_encoding(payload) == encoding
    assert CAFE in decode(payload, markup=True)


@pytest.mark.parametrize("declared", ["utf-16", "UTF-16LE", "ucs-2", "utf-32", "unicode"])
@pytest.mark.parametrize("blanks", range(4))
def test_a_declaration_that_is_ascii_declares_no_utf16(declared: str, blanks: int) -> None:
    feed = f'<?xml version="1.0" encoding="{declared}"?><rss>{CAFE}</rss>' + " " * blanks
    assert decode(feed.encode(), markup=True) == feed


@pytest.mark.parametrize(
    "label", ["", "unknown", "idna", "punycode", "utf-7", "undefined", "base64", "rot13", "hex"]
)
def test_a_label_that_is_no_encoding_of_texts_is_passed_over(label: str) -> None:
    page = f'<meta charset="{label}">{CAFE}'
    assert decode(page.encode(), label, markup=True) == page


def test_a_wrong_label_is_passed_over() -> None:
    page = f'<meta charset="shift_jis">{CAFE}'
    assert decode(page.encode(), markup=True) == page


@pytest.mark.parametrize(
    ("codec", "text"),
    [("utf-8", CAFE * 20), ("euc_jp", "東京" * 20), ("cp949", "서울똠" * 20)],
)
def test_a_few_broken_bytes_are_shown_as_broken(codec: str, text: str) -> None:
    page = f'<meta charset="{codec}">'.encode() + text.encode(codec) + b"\xff\n" + b"end"
    shown = decode(page, markup=True)
    assert text in shown
    assert shown.endswith("\ufffd\nend")


def test_a_character_cut_through_at_the_end_is_no_fault() -> None:
    assert decode(CAFE.encode()[:-1]) == CAFE[:-1] + "\ufffd"
    assert decode(CAFE.encode("utf-16")[:-1]) == CAFE[:-1] + "\ufffd"


@pytest.mark.parametrize("codec", UNDECLARED)
def test_what_is_not_declared_is_guessed(codec: str) -> None:
    text = UNDECLARED[codec]
    assert decode(text.encode(codec)) == text
    assert text.encode(codec).decode(encoding_of(text.encode(codec))) == text


@pytest.mark.parametrize("declared", [None, "utf-8", "no-such-label"])
def test_what_fits_nothing_is_an_error(declared: str | None) -> None:
    with pytest.raises(RecordError, match=declared or "none") as caught:
        decode(bytes(range(128, 256)) * 8, declared)
    assert caught.value.reason is Reason.BAD_ENCODING


def test_a_mark_that_is_not_kept_to_is_an_error() -> None:
    with pytest.raises(RecordError, match="not utf-16") as caught:
        decode(codecs.BOM_UTF16_LE + b"\x00\xdc" * 100)
    assert caught.value.reason is Reason.BAD_ENCODING


def test_the_encoding_of_a_head_that_cuts_through_a_character() -> None:
    assert encoding_of(CAFE.encode()[:4]) == "utf-8"


@given(
    st.binary(max_size=300) | TEXT.map(str.encode),
    st.none() | st.sampled_from(["utf-8", "gbk", "hz", "iso-2022-kr"]) | st.text(max_size=20),
    st.booleans(),
)
@settings(deadline=None)
def test_decoding_fails_in_one_way_only(payload: bytes, declared: str | None, markup: bool) -> None:
    try:
        text = decode(payload, declared, markup=markup)
    except RecordError as error:
        assert error.reason is Reason.BAD_ENCODING  # noqa: PT017
    else:
        text.encode()  # no half of a surrogate pair


@pytest.mark.parametrize(
    ("payload", "declared", "as_declared"),
    [
        ("Café".encode(), "utf-8", True),
        ("Café".encode("latin-1"), "iso-8859-1", True),
        ("Café".encode("latin-1"), "utf-8", False),
        ("Café".encode(), "iso-8859-1", False),
        (b"plain", "iso-8859-1", True),
        (b"plain", "no-such-code", False),
        ("Café".encode(), None, True),
        (b'<?xml version="1.0" encoding="utf-8"?>\xe9', None, False),
    ],
)
def test_whether_a_document_is_in_the_encoding_that_it_declares(
    payload: bytes, declared: str | None, as_declared: bool
) -> None:
    assert is_as_declared(payload, declared) is as_declared


def test_what_is_utf8_is_not_read_as_single_bytes_whatever_is_declared() -> None:
    assert decode(CAFE.encode(), "iso-8859-1") == CAFE
    assert decode(CAFE.encode(), "koi8-r") == CAFE
