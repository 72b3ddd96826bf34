"""The page in a browser: what a reader does with it, and that it holds the tables' numbers."""

import csv
import math
import shutil

import pytest
from report_example import report, write_tables
from robustness_example import card, robustness_report, scores
from selenium import webdriver
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from grainseg.report.card.robustness_page import write_robustness
from grainseg.report.html.page import write_report

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    BROWSER is None or DRIVER is None,
    reason="needs chromium and chromedriver (Debian: apt-get install chromium chromium-driver)",
)

NASTY = '"><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1280,900",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    example = report({"A": ["a10", "a9", NASTY], "B": ["b1", "b2"], "C": ["c1", "c2"]})
    write_report(folder / "report.html", example)
    write_tables(folder, example)
    return folder


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def opened(driver, folder):
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    driver.get((folder / "report.html").as_uri())
    yield driver
    assert [entry["message"] for entry in driver.get_log("browser")] == []


def find(driver, selector):
    return driver.find_element(By.CSS_SELECTOR, selector)


def shown(driver, layer, image=0):
    return find(driver, f"#image-{image} .layer.{layer}").is_displayed()


def zoom(driver):
    return driver.execute_script(
        "return new DOMMatrix(getComputedStyle(document.querySelector('#image-0 .stage')).transform).a"
    )


def read(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_page_opens_without_a_request_and_runs_no_script_of_a_name(opened):
    loaded = opened.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)")

    assert all(name.startswith("data:") for name in loaded)
    assert opened.execute_script("return window.hacked") is None
    assert opened.execute_script("return [...document.images].every((i) => i.complete && i.naturalWidth)")
    assert NASTY in find(opened, "#image-2 h3").text


def test_the_policy_stops_requests_and_foreign_scripts(driver, folder):
    driver.get((folder / "report.html").as_uri())
    driver.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.hacked = 1';"
        "document.body.append(s); new Image().src = 'http://127.0.0.1:9/x.png'"
    )
    refused = WebDriverWait(driver, 10).until(lambda driver: driver.get_log("browser"))

    assert driver.execute_script("return window.hacked") is None
    assert all("Content Security Policy" in entry["message"] for entry in refused)


def test_layers_are_switched_for_one_image_and_for_all(opened):
    layers = ("micrograph", "sizes", "boundaries")
    assert [shown(opened, layer) for layer in layers] == [True, False, True]

    find(opened, '#image-0 input[data-layer="sizes"]').click()
    find(opened, '#image-0 input[data-layer="boundaries"]').click()
    assert [shown(opened, layer) for layer in layers] == [True, True, False]
    assert [shown(opened, layer, 1) for layer in layers] == [True, False, True]

    opened.execute_script("document.querySelector('#images').scrollIntoView()")
    find(opened, 'input[data-layer-all="sizes"]').click()
    assert shown(opened, "sizes", 0)
    assert shown(opened, "sizes", 1)
    assert find(opened, '#image-3 input[data-layer="sizes"]').is_selected()


def test_pictures_are_zoomed_and_moved_by_button_key_and_mouse(opened):
    before = find(opened, "#image-0 .rule").text
    for _ in range(3):
        find(opened, '#image-0 [data-zoom="in"]').click()
    assert zoom(opened) == pytest.approx(1.5**3)
    assert find(opened, "#image-0 .rule").text != before

    find(opened, '#image-0 [data-zoom="out"]').click()
    viewer = find(opened, "#image-0 .viewer")
    viewer.send_keys("+")
    assert zoom(opened) == pytest.approx(1.5**3)
    webdriver.ActionChains(opened).move_to_element(viewer).click_and_hold().move_by_offset(
        -30, -20
    ).release().perform()
    moved = find(opened, "#image-0 .stage").value_of_css_property("transform")
    viewer.send_keys(Keys.ARROW_LEFT)
    assert find(opened, "#image-0 .stage").value_of_css_property("transform") != moved

    viewer.send_keys("0")
    assert zoom(opened) == 1
    assert find(opened, "#image-0 .rule").text == before


def test_the_wheel_zooms_only_where_the_reader_asked_for_it(opened):
    viewer = find(opened, "#image-0 .viewer")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", viewer)
    origin = ScrollOrigin.from_element(viewer)

    webdriver.ActionChains(opened).scroll_from_origin(origin, 0, 40).perform()
    assert zoom(opened) == 1
    viewer.click()
    webdriver.ActionChains(opened).scroll_from_origin(origin, 0, -200).perform()
    WebDriverWait(opened, 10).until(lambda driver: zoom(driver) > 1.2)


def column(driver, table, index):
    return driver.execute_script(
        "return [...document.querySelectorAll(arguments[0] + ' tbody tr')]"
        ".map((row) => row.cells[arguments[1]].dataset.sort ?? row.cells[arguments[1]].textContent)",
        table,
        index,
    )


def test_tables_sort_by_number_by_text_and_by_keyboard(opened):
    table = "#images > .scroll table"
    grains = find(opened, f"{table} th:nth-child(3)")

    grains.find_element(By.TAG_NAME, "button").click()
    assert grains.get_attribute("aria-sort") == "ascending"
    ascending = [float(text) for text in column(opened, table, 2)]
    assert ascending == sorted(ascending)
    assert len(set(ascending)) > 1

    grains.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert grains.get_attribute("aria-sort") == "descending"
    assert [float(text) for text in column(opened, table, 2)] == ascending[::-1]

    name = find(opened, f"{table} th:nth-child(1)")
    name.find_element(By.TAG_NAME, "button").send_keys(Keys.SPACE)
    assert grains.get_attribute("aria-sort") is None
    names = column(opened, table, 0)
    assert names.index("a9") < names.index("a10") < names.index("b1")


def test_numbers_are_those_of_the_tables(opened, folder):
    found = opened.execute_script(
        "return [...document.querySelectorAll('tr[data-batch] [data-value], tr[data-a] [data-value]')].map("
        "(e) => [{...e.closest('tr').dataset}, e.dataset.key, e.dataset.value, e.textContent])"
    )
    fields = {(row["batch"], row["image"]): row for row in read(folder / "fields.csv")}
    batches = {(row["batch"],): row for row in read(folder / "batches.csv")}
    pairs = {(row["a"], row["b"]): row for row in read(folder / "comparisons.csv")}

    for source, key, value, _ in found:
        if "a" in source:
            row = pairs[source["a"], source["b"]]
        else:
            row = fields.get((source["batch"], source.get("image"))) or batches[(source["batch"],)]
        assert value == row[key], (source, key)
    seen = {(tuple(source.values()), key) for source, key, *_ in found}
    assert {(("A", "a9"), "mean_intercept_um"), (("A",), "astm_g"), (("A", "B"), "p_holm")} <= seen
    assert len(seen) > 150


def test_texts_are_the_numbers_rounded(opened):
    found = opened.execute_script(
        "return [...document.querySelectorAll('[data-value]')]"
        ".map((e) => [e.dataset.key, e.dataset.value, e.textContent])"
    )
    assert len(found) > 150
    for key, value, text in found:
        if value == "" or text.startswith("<"):
            continue
        factor = 100 if key == "closed_share" else 1
        plain = text.replace("−", "-")
        step = 10.0 ** -len(plain.partition(".")[2].partition("e")[0])
        assert abs(float(plain) - factor * float(value)) <= 0.51 * step, (key, value, text)


def test_on_paper_there_are_no_controls_and_all_layers(opened):
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})

    for selector in ("nav", "#image-0 .tools", ".bar fieldset"):
        assert not find(opened, selector).is_displayed()
    assert all(shown(opened, layer) for layer in ("micrograph", "sizes", "boundaries"))
    opened.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert find(opened, "details pre").is_displayed()
    opened.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert find(opened, "details").get_attribute("open") is None


@pytest.mark.parametrize("width", [400, 1280])
def test_page_is_never_wider_than_the_window(driver, opened, width):
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_robustness_card_opens_without_a_request_and_its_tables_sort(driver, tmp_path):
    lost = {"low": 22, "middle": 18, "high": math.inf, "only": 30}
    made = card(change=lambda each, image: scores(image, intercept=lost[each.level]))
    write_robustness(tmp_path / "card.html", robustness_report([made, card("ridge")]))
    driver.get((tmp_path / "card.html").as_uri())
    assert driver.execute_script("return [...document.images].every((i) => i.complete && i.naturalWidth)")
    loaded = driver.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert all(name.startswith("data:") for name in loaded)

    def highest():
        rows = "#drift tbody tr td:nth-child(5)"
        return [cell.text for cell in driver.find_elements(By.CSS_SELECTOR, rows)]

    find(driver, "#drift thead tr:last-child th:nth-child(5) button").click()
    assert highest()[:3] == ["+50.0 (+50.0)"] * 3
    assert highest()[-1] == "∞ (∞)"
    find(driver, "#drift thead tr:last-child th:nth-child(5) button").click()
    assert highest()[0] == "∞ (∞)"
    assert highest()[-1] == "+50.0 (+50.0)"
    assert driver.get_log("browser") == []
