"""The pages as their readers meet them: in a browser, on a phone, by keyboard, by ear, without script and without network.

Chromium opens them, axe-core looks for what keeps people out. A machine without Chromium fails here: a page that nobody has
opened is not known to work.
"""

import base64
import csv
import io
import json
import os
import pathlib
import shutil
import xml.etree.ElementTree as ElementTree

import axe_playwright_python
import pytest
from playwright.sync_api import sync_playwright

AXE = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
# What the report may cite: works, by their permanent addresses.
CITED = ("https://arxiv.org/", "https://doi.org/", "https://www.jstor.org/")
PHONE, DESK = 390, 1280


@pytest.fixture(scope="session")
def chromium():
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        pytest.fail("there is no chromium on this machine: apt-get install chromium, or name one with CHROMIUM")
    with sync_playwright() as playwright:
        # No sandbox: CI runs as root in a container.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pages(rival10, tmp_path_factory):
    """Both kinds of page, of a demo with a second annotator: `{name: file}`."""
    folder = tmp_path_factory.mktemp("page") / "demo"
    rival10("demo", folder, "--n", "60")
    rival10("annotators", "add", "bob", cwd=folder)
    rival10("import", "--format", "coco", "coco", "--annotator", "bob", cwd=folder)
    made = json.loads(rival10("report", "--json", cwd=folder))
    analyses = {run["analysis"] for run in made["runs"]}
    assert {"noise-sensitivity", "ablation"} <= analyses
    sheet = folder / "sign-off.html"
    # Twenty images can't promise 95%: the audit says so by its exit code, and writes the sheet all the same.
    done = rival10(
        *("audit", "--layer", "object", "--require", "iou=0.85", "--sample", "20", "--page", sheet), cwd=folder, check=False
    )
    assert done.returncode == 1, done.stderr
    return {"report": pathlib.Path(made["file"]), "sign-off": sheet}


@pytest.fixture(params=["report", "sign-off"])
def file(request, pages):
    return pages[request.param]


@pytest.fixture()
def opened(chromium):
    """opened(file, width, scheme) is the page in a browser, with all that it said and asked for in `heard`."""
    contexts = []

    def open_page(file, width=DESK, scheme="light", **options):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.heard = []
        page.on("console", lambda message: page.heard.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: page.heard.append(f"error: {error}"))
        page.on("request", lambda asked: page.heard.append(f"request: {asked.url}"))
        page.goto(file.as_uri())
        page.wait_for_load_state("load")
        return page

    yield open_page
    for context in contexts:
        context.close()


def unfold(page):
    page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")


def test_a_page_says_nothing_to_the_console_and_asks_for_nothing_but_itself(opened, file):
    page = opened(file)
    unfold(page)
    page.mouse.wheel(0, 100_000)
    page.wait_for_timeout(200)
    outside = [said for said in page.heard if not said.startswith(("request: data:", f"request: {file.as_uri()}"))]
    assert outside == []
    # What the policy of the page says is what holds: nothing else could be fetched.
    refused = page.evaluate("fetch('https://example.org/').then(() => false, () => true)")
    assert refused


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_axe_finds_nothing_that_keeps_people_out(opened, file, scheme, width):
    page = opened(file, width, scheme)
    unfold(page)
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations', 'incomplete']})")
    told = [
        f"{violation['id']}: {violation['help']}: {[node['html'][:160] for node in violation['nodes'][:3]]}"
        for violation in found["violations"]
    ]
    assert told == []
    assert len(found["passes"]) > 20


@pytest.mark.parametrize("width", [320, PHONE, DESK])
def test_nothing_hangs_over_the_edge_of_a_screen(opened, file, width):
    page = opened(file, width)
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_dark_room_gets_a_dark_page_with_dark_plots(opened, pages):
    def ground(scheme):
        page = opened(pages["report"], scheme=scheme)
        colours = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor,"
            " getComputedStyle(document.querySelector('svg.plot text')).fill]"
        )
        return [sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(","))) for colour in colours]

    (light_paper, light_ink), (dark_paper, dark_ink) = ground("light"), ground("dark")
    assert light_paper > 700 and light_ink < 300
    assert dark_paper < 120 and dark_ink > 450


def test_every_link_leads_somewhere(opened, file):
    page = opened(file)
    links = page.evaluate("[...document.querySelectorAll('a')].map((a) => [a.getAttribute('href'), a.download])")
    assert links
    ids = set(page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)"))
    names = []
    for address, name in links:
        if address.startswith("#"):
            assert address[1:] in ids, address
        elif address.startswith("data:"):
            media_type, data = address.removeprefix("data:").split(";base64,")
            text = base64.b64decode(data, validate=True).decode("utf-8")
            names.append(name)
            if media_type == "text/csv":
                rows = list(csv.reader(io.StringIO(text)))
                assert len(rows) > 1 and {len(row) for row in rows} == {len(rows[0])}, name
            else:
                assert media_type == "image/svg+xml"
                root = ElementTree.fromstring(text)
                assert root.tag == "{http://www.w3.org/2000/svg}svg" and len(root) > 5, name
        else:
            assert address.startswith(CITED), address
    assert len(names) == len(set(names)), "two files of one name"


def test_the_numbers_behind_a_plot_are_those_of_the_run(opened, pages):
    page = opened(pages["report"])
    address = page.get_attribute("a[download^='noise-sensitivity-'][download$='-by-level.csv']:not([download*='-figure-'])", "href")
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(address.split(",")[1]).decode())))
    folder = pages["report"].parent
    (report,) = [
        report
        for report in (json.loads(file.read_text()) for file in folder.glob("runs/*/report.json"))
        if report["provenance"]["plugin"] == "noise-sensitivity"
    ]
    (table,) = [table for table in report["tables"] if table["name"] == "by-level"]
    assert len(rows) == len(table["rows"])
    for row, cells in zip(rows, table["rows"], strict=True):
        for name, cell in zip(table["columns"], cells, strict=True):
            assert row[name] == ("" if cell is None else cell) or float(row[name]) == cell


def test_a_file_that_is_taken_from_the_page_is_the_file(opened, pages):
    page = opened(pages["report"], accept_downloads=True)
    link = page.locator("a[download$='.svg']").first
    with page.expect_download() as taken:
        link.click()
    text = pathlib.Path(taken.value.path()).read_text()
    assert text.startswith("<svg ") and taken.value.suggested_filename.endswith(".svg")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_keyboard_reaches_everything_in_the_order_of_reading(opened, file, scheme):
    page = opened(file, scheme=scheme)
    expected = page.evaluate(
        """() => {
          const all = [...document.querySelectorAll('a[href], button, summary, [tabindex="0"]')];
          const shown = all.filter((e) => e.checkVisibility({contentVisibilityAuto: true}) && e.getClientRects().length);
          shown.forEach((e, i) => (e.dataset.place = i));
          return shown.length;
        }"""
    )
    assert expected > 5
    reached = []
    for _ in range(expected):
        page.keyboard.press("Tab")
        place, ring = page.evaluate(
            "[document.activeElement.dataset.place, getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert ring != "none", f"no ring around number {place}"
        reached.append(place)
    assert reached == [str(place) for place in range(expected)]


def test_the_first_key_skips_to_the_content(opened, file):
    page = opened(file)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0, "it is seen"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_without_script_everything_is_there_but_the_copying(opened, pages):
    def words(**options):
        page = opened(pages["report"], **options)
        return page.locator("main").inner_text(), page.locator("button").count()

    with_script, buttons = words()
    without, none = words(java_script_enabled=False)
    assert without == with_script
    assert (none, buttons > 0) == (0, True)


def test_copying_takes_the_latex_of_a_table(opened, pages):
    page = opened(pages["report"])
    unfold(page)
    page.locator(".latex button").first.click()
    selected = page.evaluate("getSelection().toString()")
    assert selected.startswith("\\begin{table}") and "\\toprule" in selected


def test_on_paper_tables_are_unfolded_and_what_only_a_screen_can_do_is_gone(opened, pages):
    page = opened(pages["report"])
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("details.table:not([open])").count() == 0
    assert not page.locator("nav").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 254)"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.table[open]").count() == 0


def test_a_page_fits_into_a_mail(pages):
    assert pages["report"].stat().st_size < 10_000_000
