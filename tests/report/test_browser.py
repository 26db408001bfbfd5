"""The report in a real browser: filters, links, keys, faults, speed, and hostile text."""

import os
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.report import write_report
from tests.report.outputs import NOW, article, theme, write_months, write_run

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None and "CI" not in os.environ:  # there its absence is a failure
    pytest.skip("Chromium is not installed", allow_module_level=True)

TITLES = {
    "encryption": "Encryption",
    "migration": "Migration",
    "organised_crime": "Organised crime",
}


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


class Visit:
    """A page in the browser, with all that it asked for and complained about."""

    def __init__(self, page: "sync_api.Page") -> None:
        self.page = page
        self.requests: list[str] = []
        self.faults: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self.faults.append(message.text))

    def goto(self, path: Path, place: str = "") -> "sync_api.Page":
        # The same file with another place would be no visit.
        self.page.goto("about:blank")
        self.page.goto(path.as_uri() + place)
        return self.page

    def shown(self) -> list[str]:
        """The titles of the stories that are not hidden."""
        return self.page.locator(".story:visible h4").all_text_contents()


@pytest.fixture
def visit(browser: "sync_api.Browser") -> Iterator[Visit]:
    page = browser.new_page()
    page.set_default_timeout(30_000)  # on machines that do other things too
    visit = Visit(page)
    yield visit
    page.close()
    assert not visit.faults
    assert all(url.startswith(("file:", "data:", "about:")) for url in visit.requests)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five stories; two of them are news of the last run."""
    out = tmp_path_factory.mktemp("out")
    before = NOW - timedelta(days=3)
    earlier = [
        article(
            1,
            theme("migration", level="mention"),
            title="Boats",
            published_at=before,
            source="The Gazette",
        ),
        article(2, theme("encryption"), title="Chiffrement", published_at=before, language="fr"),
        article(3, theme("migration"), title="Asile", published_at=before, language="fr"),
    ]
    write_run(out, earlier, as_of=before)
    newest = [
        article(4, theme("migration"), theme("organised_crime"), title="Gangs"),
        article(5, theme("organised_crime"), title="Élysée raid", source="The Herald"),
    ]
    write_run(out, newest)
    return write_report(out, TITLES)


def test_filters_join(visit: Visit, report: Path) -> None:
    page = visit.goto(report)
    assert sorted(visit.shown()) == ["Asile", "Boats", "Chiffrement", "Gangs", "Élysée raid"]
    page.get_by_role("checkbox", name="Migration").check()
    assert sorted(visit.shown()) == ["Asile", "Boats", "Gangs"]
    page.get_by_role("combobox", name="Level").select_option("focus")
    assert sorted(visit.shown()) == ["Asile", "Gangs"]
    page.get_by_role("combobox", name="Language").select_option("fr")
    assert visit.shown() == ["Asile"]
    assert page.get_by_role("status").inner_text() == "1 of 5 stories"
    page.get_by_role("checkbox", name="Encryption").check()
    assert sorted(visit.shown()) == ["Asile", "Chiffrement"]
    page.get_by_role("button", name="Show all").click()
    assert len(visit.shown()) == 5


def test_a_level_is_that_of_the_chosen_theme(visit: Visit, tmp_path: Path) -> None:
    both = article(1, theme("migration", level="mention"), theme("organised_crime", level="focus"))
    write_run(tmp_path, [both])
    page = visit.goto(write_report(tmp_path, TITLES))
    page.get_by_role("checkbox", name="Migration").check()
    page.get_by_role("combobox", name="Level").select_option("focus")
    assert visit.shown() == []
    assert page.get_by_text("No story is like that.").is_visible()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("elysee", ["Élysée raid"]),
        ("SMUGGLERS ministers", ["Gangs", "Élysée raid"]),
        ("herald", ["Élysée raid"]),
        ("nowhere", []),
    ],
)
def test_words_are_found_in_title_sentence_and_source(
    visit: Visit, report: Path, words: str, found: list[str]
) -> None:
    page = visit.goto(report)
    page.get_by_role("searchbox", name="Words").fill(words)
    sync_api.expect(page.locator(".story:visible")).to_have_count(len(found))
    assert sorted(visit.shown()) == sorted(found)


def test_source_and_day_filter_too(visit: Visit, report: Path) -> None:
    page = visit.goto(report)
    page.get_by_role("combobox", name="New since").select_option("the last run")
    assert sorted(visit.shown()) == ["Gangs", "Élysée raid"]
    page.get_by_role("combobox", name="Source").select_option(label="The Herald (1)")
    assert visit.shown() == ["Élysée raid"]
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("combobox", name="New since").select_option("a day …")
    page.get_by_label("Day", exact=True).fill("2026-11-21")
    assert len(visit.shown()) == 5
    page.get_by_label("Day", exact=True).fill("2026-11-22")
    assert sorted(visit.shown()) == ["Gangs", "Élysée raid"]


def test_what_is_filtered_can_be_passed_on(visit: Visit, report: Path) -> None:
    page = visit.goto(report)
    page.get_by_role("checkbox", name="Organised crime").check()
    page.get_by_role("combobox", name="Source").select_option(label="The Herald (1)")
    place = page.evaluate("location.hash")
    visit.goto(report, place)
    assert visit.shown() == ["Élysée raid"]
    assert page.get_by_role("checkbox", name="Organised crime").is_checked()


def test_a_link_to_a_story_shows_it_whatever_is_filtered(visit: Visit, report: Path) -> None:
    story = f"story-1{2:032x}"
    page = visit.goto(report, f"#{story}")
    assert page.locator(f"#{story}").evaluate("one => one === document.activeElement")
    page.get_by_role("checkbox", name="Organised crime").check()
    assert not page.locator(f"#{story}").is_visible()
    page.evaluate(f"location.hash = '{story}'")
    sync_api.expect(page.locator(f"#{story}")).to_be_in_viewport()


def test_a_link_to_a_story_that_is_gone_says_so(visit: Visit, report: Path) -> None:
    page = visit.goto(report, "#story-1nowhere")
    assert page.get_by_text("This story is not on this page").is_visible()


def test_all_is_reached_by_keys(visit: Visit, report: Path) -> None:
    page = visit.goto(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the stories"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "words"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert visit.shown() == ["Chiffrement"]
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"level", "source", "language", "since", "reset", "A", "SUMMARY"} <= reached


def test_without_a_script_theme_and_level_still_filter(
    browser: "sync_api.Browser", report: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator(".story:visible").count() == 5
    assert page.locator("#words:visible").count() == 0
    page.get_by_role("checkbox", name="Migration").check()
    assert sorted(page.locator(".story:visible h4").all_text_contents()) == [
        "Asile",
        "Boats",
        "Gangs",
    ]
    page.get_by_role("combobox", name="Level").select_option("focus")
    assert sorted(page.locator(".story:visible h4").all_text_contents()) == ["Asile", "Gangs"]
    page.get_by_text("Days as a table").first.click()
    assert page.get_by_role("table").first.is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 2560])
def test_axe_finds_no_fault(
    browser: "sync_api.Browser", months: Path, scheme: str, width: int
) -> None:
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
    )
    page = context.new_page()
    page.goto(months.as_uri())
    # What is not drawn yet has no place, and axe takes it to lie on something else.
    page.add_style_tag(content=".story { content-visibility: visible }")
    for details in page.locator("details").all():
        details.evaluate("one => one.open = true")
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]})
    wrong = [
        (
            one["id"],
            one["impact"],
            [(node["html"][:100], node["failureSummary"][:300]) for node in one["nodes"][:3]],
        )
        for one in found.response["violations"]
    ]
    assert not wrong
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some weeks; a few stories a day."""
    out = tmp_path_factory.mktemp("out")
    write_months(out, days=25, stories=4)
    return write_report(out, TITLES)


HOSTILE = (
    "<script>document.title = 'taken'</script>",
    "</title></style></script><img src=x onerror=\"document.title = 'taken'\">",
    "\u202egnol sdrawkcab\u2066 {{ 7 * 7 }} ${7 * 7} &amp;",
    '" onmouseover="document.title = \'taken\'" x="',
    "long " * 2_000,
)


def test_hostile_text_stays_text(visit: Visit, tmp_path: Path) -> None:
    articles = [
        article(
            number,
            theme(words=text[:40].strip(), sentence=f"They say {text}"),
            title=text,
            source=f"{text[:50]}{number}",
            url="javascript:document.title='taken'" if number % 2 else f"https://a.example/{text}",
            language="<b>",
        )
        for number, text in enumerate(HOSTILE)
    ]
    write_run(tmp_path, articles)
    page = visit.goto(write_report(tmp_path, {"migration": HOSTILE[1]}))
    shown = visit.shown()
    assert HOSTILE[0] in shown
    assert HOSTILE[1] in shown
    assert HOSTILE[3] in shown
    assert max(map(len, shown)) <= 180
    assert not any("\u202e" in title for title in shown)
    assert any("{{ 7 * 7 }} ${7 * 7} &amp;" in title for title in shown)
    assert page.title() != "taken"
    assert page.locator("img, .story script, main script").count() == 0
    assert page.locator("[href^='javascript:' i]").count() == 0
    assert page.evaluate("[...document.querySelectorAll('*')].every(e => !e.onmouseover)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow
def test_five_thousand_stories_open_at_once(visit: Visit, tmp_path: Path) -> None:
    write_months(tmp_path, stories=68)
    report = write_report(tmp_path, TITLES)
    content = report.read_bytes()
    assert 4_900 < content.count(b'<article class="story"') <= 5_000
    assert len(content) < 5_000_000
    page = visit.goto(report)
    took = page.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart")
    assert took < 2_000
    began = time.perf_counter()
    page.get_by_role("searchbox", name="Words").fill("rotterdam")
    sync_api.expect(page.get_by_role("status")).to_contain_text(" of ")
    assert time.perf_counter() - began < 1.5


@pytest.mark.slow
def test_more_stories_have_a_page_a_day(visit: Visit, tmp_path: Path) -> None:
    write_months(tmp_path, stories=110, days=70)
    report = write_report(tmp_path, TITLES)
    assert report.stat().st_size < 5_000_000
    page = visit.goto(report)
    older = page.locator("#older a")
    assert older.count() > 5
    day = older.last.inner_text()
    older.last.click()
    page.wait_for_url("**/report/*.html")
    assert page.url.endswith(f"report/{day}.html")
    assert visit.shown()
    page.get_by_role("link", name="To the report").click()
    page.wait_for_url("**/report.html")
