"""The card as a page: it holds the CSV's numbers, says what they mean, and asks nobody for anything."""

import csv
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from robustness_example import ROLES, SEEN, card, robustness_report, scores

from grainseg.grains.trust.doubt import FLAG_ABOVE
from grainseg.grains.trust.robustness import Seen
from grainseg.micrograph.corruptions import CORRUPTIONS, KINDS
from grainseg.report.card.robustness_page import write_robustness
from grainseg.report.card.robustness_plots import card_plots
from grainseg.report.card.robustness_sentences import doubt_sentence, remarks, verdicts
from grainseg.report.card.robustness_tables import write_cells, write_images
from grainseg.report.card.robustness_views import count_heat, drift_heat, iou_heat

NASTY = '"><script>window.hacked = 1</script>'
KEYS = ("method", "kind", "variant", "level")


def weaker_with_level(each, image):
    clean = 0.6 if image == "a" else 0.4
    strength = {"low": 0.05, "middle": 0.3, "high": 0.7, "only": 1.0}[each.level]
    return scores(image, iou=clean * (1 - strength), intercept=20 * (1 - strength / 3), lost=strength)


@pytest.fixture(scope="module")
def cards():
    seen = SEEN | {"gain": Seen("weaker", "× 1 ± 0.2")}
    return [card("network", weaker_with_level, seen), card("ridge")]


@pytest.fixture(scope="module")
def made(cards):
    """A report; samples and plot take time, so that those of other cards keep them."""
    return robustness_report(cards)


@pytest.fixture(scope="module")
def page(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "robustness.html"
    write_robustness(path, made)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def cells(cards, tmp_path_factory):
    path = tmp_path_factory.mktemp("csv") / "robustness.csv"
    write_cells(path, cards)
    with path.open(encoding="utf-8", newline="") as handle:
        return {tuple(row[key] for key in KEYS): row for row in csv.DictReader(handle)}


class Numbers(HTMLParser):
    """Every number of the page with the row of the CSV that it claims to come from."""

    def __init__(self):
        super().__init__()
        self.source, self.found, self.reading = {}, [], None

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "data-method" in given:
            self.source = {key: given[f"data-{key}"] for key in KEYS}
        if "data-key" in given:
            self.reading = (tuple(self.source.values()), given["data-key"], given["data-value"])

    def handle_data(self, data):
        if self.reading is not None:
            self.found.append((*self.reading, data))
            self.reading = None


def test_every_number_is_that_of_the_csv_rounded(page, cells):
    parser = Numbers()
    parser.feed(page)
    assert len(parser.found) > 3 * 2 * len(CORRUPTIONS)
    for source, key, value, text in parser.found:
        assert cells[source][key] == value
        shown = float(text.replace("−", "-").replace("∞", "inf"))
        number = float(value)
        assert shown == pytest.approx(number, abs=0.0006) or shown == pytest.approx(100 * number, abs=0.51)


def test_the_tables_hold_every_cell_and_picture(cards, cells, tmp_path):
    assert len(cells) == 2 * (1 + len(CORRUPTIONS))
    assert cells["network", "gain", "darker", "high"]["seen_in_training"] == "weaker"
    assert cells["network", "gain", "darker", "high"]["holds_information"] == "false"
    assert cells["network", "gain", "darker", "low"]["holds_information"] == "true"
    write_images(tmp_path / "images.csv", cards, ROLES)
    with (tmp_path / "images.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 2 * len(cells)
    assert {(row["image"], row["role"]) for row in rows} == set(ROLES.items())
    high = [row for row in rows if [row[key] for key in KEYS] == ["network", "blur", "", "high"]]
    assert [float(row["intercept_drift"]) for row in high] == pytest.approx([-0.7 / 3] * 2)


def test_the_page_asks_nobody_for_anything(page):
    assert "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    assert "http://" not in re.sub(r'xmlns(?::\w+)?="[^"]*"', "", page)


def test_names_cannot_act(made, tmp_path):
    nasty = replace(made, title=NASTY, roles={NASTY: NASTY}, choice=NASTY, record=NASTY)
    write_robustness(tmp_path / "x.html", nasty)
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert page.count("<script>") == 1
    assert NASTY not in page


def test_the_page_says_of_every_kind_whether_training_saw_it(page):
    for kind in KINDS:
        assert kind.source.replace("&", "&amp;") in page
    assert "× 1 ± 0.2" in page
    assert "Nothing is known of the training" in page


def test_samples_show_the_same_piece_of_the_field(page):
    assert page.count("data:image/webp") == 1 + len(CORRUPTIONS)


def test_verdicts_say_target_and_figure(cards):
    mean, least, light = verdicts(cards[0])
    assert [mean.met, least.met, light.met] == [False, True, False]
    assert "target: at least 85 %" in mean.sentence
    assert "0.0 % of the clean IoU (Inversion, only: 1 − x)" in least.sentence
    assert re.search(r"target: none; \d+ of the card hold no information and are not asked", least.sentence)
    assert (
        "−23.3 % in the mean over the pictures (Gain, darker, high: × 0.4; target: below 5 %)"
        in light.sentence
    )
    assert "boundaries that are left" not in light.sentence
    assert all(verdict.met for verdict in verdicts(cards[1])[1:])


def test_a_drift_by_light_is_held_against_what_the_pictures_still_show():
    def burnt(corruption, image):
        brighter = (corruption.kind.name, corruption.variant, corruption.level) == (
            "gain",
            "brighter",
            "high",
        )
        return scores(image, intercept=24, left=22) if brighter else scores(image)

    assert "would drift by +10.0 %" in verdicts(card(change=burnt))[2].sentence


def test_what_drifts_most_without_being_light_has_a_line_of_its_own(cards, page):
    def worse(corruption, image):
        if corruption.kind.name == "gain":
            return scores(image, intercept=40)
        lost = 0.9 if corruption.kind.name == "inversion" else 0.0
        return scores(
            image, intercept={"inversion": 34.0, "texture": 10.0}.get(corruption.kind.name, 20), lost=lost
        )

    found = remarks(card(change=worse))[0]
    assert "no change of light: +70.0 % in the mean over the pictures (Inversion, only: 1 − x, where" in found
    assert "where the pictures hold no information; no target)" in found
    assert page.count("under all that is no change of light: ") == len(cards)


def test_heat_is_coloured_by_value_and_says_it_in_text(cards):
    row = next(row for row in drift_heat(cards) if row.title == "Texture")
    network = row.cells[:3]
    assert ["".join(str(getattr(part, "text", part)) for part in cell.numbers) for cell in network] == [
        "−1.7 (−1.7)", "−10.0 (−10.0)", "−23.3 (−23.3)",
    ]  # fmt: skip
    assert [cell.colour for cell in network] == [
        "rgb(0 114 178 / 0.06)", "rgb(0 114 178 / 0.35)", "rgb(0 114 178 / 0.70)",
    ]  # fmt: skip
    assert row.cells[3].colour.endswith("/ 0.00)")
    up = card(change=lambda each, image: scores(image, intercept=22))
    assert drift_heat([up])[0].cells[0].colour == "rgb(213 94 0 / 0.35)"


def test_a_single_strength_stands_under_the_highest(cards):
    for heat in (iou_heat, drift_heat, count_heat):
        row = next(row for row in heat(cards) if row.title == "Inversion")
        assert [cell is not None for cell in row.cells] == [False, False, True] * 2


def test_cells_below_the_target_stand_out_unless_they_hold_no_information(cards):
    by_title = {row.title: row for row in iou_heat(cards)}
    assert [cell.css for cell in by_title["Blur"].cells] == ["", "", "blind", "", "", ""]
    seeing = card(change=lambda each, image: scores(image, iou=0.1))
    assert {cell.css for row in iou_heat([seeing]) for cell in row.cells if cell} == {"missed"}


def test_only_a_drift_under_light_stands_out(cards):
    by_title = {row.title: row for row in drift_heat(cards)}
    assert [cell.css for cell in by_title["Contrast"].cells[:3]] == ["", "missed", "missed"]
    assert {cell.css for cell in by_title["Blur"].cells} == {""}


def test_what_is_infinite_or_missing_has_a_text_and_sorts(made, tmp_path):
    lost = card(change=lambda each, image: scores(image, intercept=math.inf))
    assert drift_heat([lost])[0].cells[0].sort == "Infinity"
    write_robustness(tmp_path / "x.html", replace(made, cards=[lost]))
    assert ">∞<" in (tmp_path / "x.html").read_text(encoding="utf-8")
    none = card(change=lambda each, image: scores(image, iou=math.nan))
    assert iou_heat([none])[0].cells[0].colour == "transparent"
    assert iou_heat([none])[0].cells[0].sort == ""


def test_the_plot_names_every_corruption_and_method(cards, made):
    svg, png = card_plots(cards)
    assert svg == made.svg  # the same again
    root = ElementTree.fromstring(svg)
    texts = {"".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {each.title for each in CORRUPTIONS} | {"network", "ridge", "low", "middle", "high"} <= texts
    assert png.startswith(b"\x89PNG")


def test_the_plot_takes_drifts_without_end():
    lost = card(change=lambda each, image: scores(image, iou=0.9, intercept=math.inf))
    assert card_plots([lost])[0].startswith("<svg")


def test_the_page_says_whether_the_doubt_works(made, tmp_path):
    falling = card(change=lambda each, image: scores(
        image, iou=0.3 if each.kind.name == "blur" else 0.55, doubt=0.4 if each.kind.name == "blur" else 0.01
    ))  # fmt: skip
    sentence = doubt_sentence(falling)
    assert f"Flagged (above {FLAG_ABOVE:g}): 6 of 6 that lost more than 15 %" in sentence
    write_robustness(tmp_path / "x.html", replace(made, cards=[falling]))
    assert sentence in (tmp_path / "x.html").read_text(encoding="utf-8")
    without = card(change=lambda each, image: scores(image, doubt=math.nan))
    assert doubt_sentence(without) is None
    write_robustness(tmp_path / "y.html", replace(made, cards=[without]))
    assert "Doubt, which needs no label" not in (tmp_path / "y.html").read_text(encoding="utf-8")
