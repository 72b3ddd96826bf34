"""The card end to end, with methods whose behaviour is known, and with a tiny network."""

import csv
import math
import shutil
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from helpers import SMALL_ENCODER, compose_train
from omegaconf import OmegaConf
from PIL import Image
from robustness_example import card, scores
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from grainseg.config import LabelledFolderConfig, RobustnessConfig, to_plain
from grainseg.data.images import read_labelled
from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import DEFAULT_SETTINGS
from grainseg.micrograph.corruptions import CORRUPTIONS, LEVELS
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.folders.folder import list_folder
from grainseg.micrograph.plain.polycrystal import polycrystal
from grainseg.pipeline import robustness as module
from grainseg.pipeline.card.robustness_board import write_board
from grainseg.pipeline.card.robustness_methods import Method, Truth, score_picture
from grainseg.pipeline.results.earlier_run import require_replaceable_card
from grainseg.pipeline.robustness import robustness
from grainseg.pipeline.runs.training_record import TRAINED, UNKNOWN, VALIDATED
from grainseg.report.card.robustness_plots import card_plots


@pytest.fixture
def config(checkpoint, fields, tmp_path):
    data = LabelledFolderConfig(
        label_kind="boundary", boundary_value=255, ignore_value=None, max_megapixels=10, root=str(fields),
        val=None, test=["f0"], fold=None, folds=None, crop=None, label_width_px=None, zero=None,
    )  # fmt: skip
    return RobustnessConfig(
        checkpoint=str(checkpoint), data=data, output=str(tmp_path / "out"), references=False,
        adapt=None, tensorboard=None, seed=0, boundary_tolerance_px=3.0, accelerator="cpu",
    )  # fmt: skip


@pytest.fixture
def image(config, fields):
    return read_labelled(list_folder(fields).labelled[0], config.data, 1)


def rows(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def with_method(monkeypatch, probability):
    """The card of a method of one's own in place of the network."""
    method = Method("network", probability, 0.5, DEFAULT_SETTINGS)
    monkeypatch.setattr(module, "network_method", lambda *_: method)


def label_of(image):
    return (image.label == 1).astype(np.float32)


def test_a_method_that_knows_the_label_is_perfect_whatever_happens(config, image, monkeypatch):
    def probability(unit):
        label = label_of(image)
        rows, columns = (
            (np.arange(new) * old) // new for new, old in zip(unit.shape[:2], label.shape, strict=True)
        )
        return label[np.ix_(rows, columns)]

    with_method(monkeypatch, probability)
    (made,) = robustness(config).cards
    for cell in made.cells:
        if cell.corruption.kind.name not in ("half", "double"):
            assert cell.iou.mean == cell.boundary_f1.mean == 1
            assert cell.drift.mean == cell.intercept_error.mean == cell.count_error.mean == 0
        else:  # known but for what lies between the pixels
            assert cell.boundary_f1.mean > 0.99
            assert abs(cell.drift.mean) < 0.05


def test_a_method_that_needs_dark_lines_fails_where_they_are_bright(config, tmp_path, monkeypatch):
    """A threshold on the grey scale: blind to gain and contrast, lost without its polarity."""
    drawn, rng = boundary_lines(polycrystal(0, (110, 130), 30.0, 0.3, 3), 3), np.random.default_rng(0)
    levels = {"images": np.where(drawn, 60, 190) + rng.integers(-20, 20, drawn.shape), "masks": 255 * drawn}
    for kind, values in levels.items():
        (tmp_path / "data" / kind).mkdir(parents=True)
        Image.fromarray(values.astype(np.uint8)).save(tmp_path / "data" / kind / "f0.png")
    with_method(monkeypatch, lambda unit: (unit[:, :, 0] < 0.5).astype(np.float32))
    (made,) = robustness(replace(config, data=replace(config.data, root=str(tmp_path / "data")))).cards
    by_key = {(each.corruption.kind.name, each.corruption.level): each for each in made.cells}
    assert made.clean.iou.mean == 1
    for level in ("low", "middle", "high"):
        darker = next(
            each
            for each in made.cells
            if (each.corruption.kind.name, each.corruption.variant, each.corruption.level)
            == ("gain", "darker", level)
        )
        # The grey scale is evened out again; what is left is the rounding to 8 bits.
        assert darker.iou_share == pytest.approx(1, abs=0.01)
        assert by_key["contrast", level].iou_share == pytest.approx(1, abs=0.01)
    assert by_key["inversion", "only"].iou_share < 0.4
    assert by_key["gaussian", "high"].iou_share < by_key["gaussian", "low"].iou_share


def test_the_network_sees_each_corruption_once_and_pictures_do_not_depend_on_their_company(
    config, monkeypatch
):
    """Each evened out as a new file."""

    def pictures(*test):
        seen = []

        def probability(unit):
            seen.append(unit)
            return np.zeros(unit.shape[:2], np.float32)

        with_method(monkeypatch, probability)
        robustness(replace(config, data=replace(config.data, test=list(test))))
        return seen

    alone, together = pictures("f1", "f1"), pictures("f0", "f1")
    assert len(alone) == 1 + len(CORRUPTIONS)
    for unit in alone:
        assert unit.dtype == np.float32
        assert (unit.min(), unit.max()) == (0, 1)
    for one, other in zip(alone, together[len(alone) :], strict=True):
        np.testing.assert_array_equal(one, other)
    assert len({module._seed(seed, stem) for seed in (0, 1) for stem in ("f0", "f1")}) == 4


def test_clean_is_what_prediction_says(config, image):
    """The untouched picture is not normalised twice, and scored as predict.py scores it."""
    image = replace(image, unit=0.8 * image.unit)
    method = Method("m", lambda unit: (unit[:, :, 0] < 0.45).astype(np.float32), 0.5, DEFAULT_SETTINGS)
    found = score_picture(method, image.unit, Truth(image), False, 3.0)
    mask = image.unit[:, :, 0] < 0.45
    truth = image.label == 1
    assert found.iou == (mask & truth).sum() / (mask | truth).sum()
    assert found.lost_share == found.lost_drift == 0
    burnt = image.unit.copy()
    burnt[:, : burnt.shape[1] // 2] = 1
    left = score_picture(method, burnt, Truth(image), False, 3.0)
    assert 0.2 < left.lost_share < 0.6
    assert left.lost_drift > 0.3  # half of the field is one grain
    assert math.isinf(score_picture(method, np.ones_like(burnt), Truth(image), False, 3.0).lost_drift)


def test_the_doubt_is_that_of_the_picture_as_it_was_seen(image):
    """Its signs on the label's pixels would be those of another prediction."""
    doubted = []

    def doubt(unit, found, partition):
        doubted.append({unit.shape[:2], found.shape, partition.grains.shape})
        return 0.25

    half = image.unit[::2, ::2]
    method = Method("m", lambda unit: (unit[:, :, 0] < 0.45).astype(np.float32), 0.5, DEFAULT_SETTINGS, doubt)
    assert score_picture(method, half, Truth(image), True, 3.0).doubt == 0.25
    assert doubted == [{half.shape[:2]}]


def test_everything_is_written_and_may_be_written_over(config, tmp_path):
    board = tmp_path / "board"
    run = robustness(replace(config, adapt=0.3, tensorboard=str(board)), "grainseg robustness …")
    require_replaceable_card(tmp_path / "out")
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {
        "robustness.csv",
        "robustness_images.csv",
        "robustness.html",
        "robustness.png",
        "robustness.json",
    }
    assert [path.name for path in board.iterdir()] == ["robustness_network"]
    cells, images = rows(out / "robustness.csv"), rows(out / "robustness_images.csv")
    assert len(cells) == len(images) == 1 + len(CORRUPTIONS)
    assert {row["seen_in_training"] for row in cells} == {"", "unknown"}
    assert {row["role"] for row in images} == {"unknown whether it trained the network"}
    clean, *corrupted = cells
    assert (clean["kind"], clean["iou_share_of_clean"], clean["intercept_drift_mean"]) == (
        "clean",
        "1.0",
        "0.0",
    )
    for row in corrupted:
        (same,) = [
            each for each in images if all(each[key] == row[key] for key in ("kind", "variant", "level"))
        ]
        assert row["iou_mean"] == row["iou_worst"] == same["iou"]
        assert row["intercept_drift_worst"] == same["intercept_drift"]
    assert {row["doubt"] for row in images} == {row["doubt_worst"] for row in cells}
    assert all(0 < float(row["doubt"]) < 1 for row in images)
    assert -1 <= float(clean["doubt_rank_correlation_iou_lost"]) <= 1
    assert {row["doubt_rank_correlation_iou_lost"] for row in corrupted} == {""}
    assert "Doubt, which needs no label: rank correlation" in run.summary()
    assert "Largest drift of the mean intercept under all that is no change of light" in run.summary()
    told = "the images that were named (1: unknown whether it trained the network). The network adapts to"
    assert f"{told} each picture by 0.3." in run.summary()
    page = unescape((out / "robustness.html").read_text(encoding="utf-8"))
    assert "0.3 of it by the picture's own statistics, given by the user" in page
    with Image.open(out / "robustness.png") as plot:
        assert plot.size[0] > 1000


def test_tensorboard_has_a_curve_per_corruption_and_the_plot(tmp_path):
    made = card(change=lambda each, image: scores(image, iou=0.4 - 0.1 * LEVELS.index(each.level))
                if each.level in LEVELS else scores(image, iou=0.05, intercept=30))  # fmt: skip
    png = card_plots([made])[1]
    for _ in range(2):  # a second card takes the place of the first
        write_board(tmp_path / "board", [made], png)
    (events,) = (tmp_path / "board" / "robustness_network").iterdir()
    reader = EventAccumulator(str(events))
    reader.Reload()
    for name in ("gaussian", "gain_brighter"):
        curve = reader.Scalars(f"iou/{name}")
        assert [event.step for event in curve] == [0, 1, 2, 3]
        np.testing.assert_allclose([event.value for event in curve], [0.5, 0.4, 0.3, 0.2], rtol=1e-6)
    drift = reader.Scalars("intercept_drift/inversion")
    assert [(event.step, event.value) for event in drift] == [(0, 0), (3, 0.5)]
    assert reader.Tags()["images"] == ["robustness/card"]


def blind(monkeypatch):
    """A method that finds nothing, fast."""
    with_method(monkeypatch, lambda unit: np.zeros(unit.shape[:2], np.float32))


def chosen(config, checkpoint, tmp_path, fields, *overrides):
    """The card of a checkpoint with a run folder."""
    path = tmp_path / "run" / "checkpoints" / "best.ckpt"
    path.parent.mkdir(parents=True)
    shutil.copy(checkpoint, path)
    plain = to_plain(
        compose_train(f"model.encoder={SMALL_ENCODER}", "data=folder", f"data.root={fields}", *overrides)
    )
    OmegaConf.save(OmegaConf.create(plain), tmp_path / "run" / "config.yaml")
    return robustness(replace(config, checkpoint=str(path), data=replace(config.data, test=None)))


def test_the_test_images_of_the_run_are_taken_first(config, checkpoint, tmp_path, fields, monkeypatch):
    blind(monkeypatch)
    run = chosen(config, checkpoint, tmp_path, fields, "data.val=[f1]", "data.test=[f2]")
    assert run.roles == {"f2": "neither trained nor chose"}
    assert run.choice == "Images: the test images of the training run (1: neither trained nor chose)."
    page = run.page.read_text(encoding="utf-8")
    assert "Known from: config.yaml of its run folder." in page


def test_else_its_validation_images(config, checkpoint, tmp_path, fields, monkeypatch):
    blind(monkeypatch)
    run = chosen(config, checkpoint, tmp_path, fields, "data.val=[f1]")
    assert run.roles == {"f1": "chose the checkpoint"}
    assert "which has no test images" in run.choice


def test_else_all_and_the_card_says_that_nobody_knows(config, monkeypatch):
    blind(monkeypatch)
    run = robustness(replace(config, data=replace(config.data, test=None)))
    assert set(run.roles) == {"f0", "f1", "f2"}
    assert run.choice == "Images: all labelled images (3: unknown whether it trained the network)."


def test_a_picture_that_cannot_be_read_is_named_and_the_others_are_done(
    config, fields, tmp_path, monkeypatch, caplog
):
    blind(monkeypatch)
    data = tmp_path / "data"
    shutil.copytree(fields, data)
    (data / "images" / "f0.png").write_bytes(b"no picture")
    (data / "masks" / "f1.png").write_bytes(b"no picture")
    config = replace(config, data=replace(config.data, root=str(data), test=["f0", "f1", "f2"]))
    monkeypatch.setattr(module, "warnings_of", lambda images: [f"{each.stem} is odd" for each in images])
    run = robustness(config)
    assert "f2 is odd" in caplog.text
    assert (
        set(run.roles) == {row["image"] for row in rows(tmp_path / "out" / "robustness_images.csv")} == {"f2"}
    )
    assert run.choice == (
        "Images: the images that were named (1: unknown whether it trained the network), without f0, f1, "
        "which cannot be read."
    )
    assert [line.split(": ")[0] for line in run.failures] == [
        str(data / "images" / "f0.png"), str(data / "masks" / "f1.png")
    ]  # fmt: skip
    assert all(line in caplog.text for line in run.failures)
    with pytest.raises(GrainsegError, match="none of the images of the card can be read, see above"):
        robustness(replace(config, data=replace(config.data, test=["f0"])))


@pytest.mark.parametrize(
    "name",
    ["robustness.csv", "robustness_images.csv", "robustness.html", "robustness.png", "robustness.json"],
)
def test_files_of_somebody_else_are_not_overwritten(config, tmp_path, name):
    path = tmp_path / "out" / name
    path.parent.mkdir()
    path.write_text("mine")
    with pytest.raises(
        GrainsegError, match=rf"{name}: .* would be overwritten; choose another output folder"
    ):
        robustness(config)
    assert (list(path.parent.iterdir()), path.read_text()) == ([path], "mine")
    path.unlink()
    path.mkdir()
    with pytest.raises(GrainsegError, match=rf"{name}: is a folder"):
        robustness(config)


@pytest.mark.slow
def test_references_stand_beside_the_network(config, tmp_path):
    run = robustness(replace(config, references=True))
    assert [each.method for each in run.cards] == ["network", "ridge", "forest"]
    network, *references = run.cards
    for reference in references:
        assert {seen.answer for seen in reference.seen.values()} == {"no"}
        assert reference.clean.iou.mean > network.clean.iou.mean  # untrained
    assert {row["method"] for row in rows(tmp_path / "out" / "robustness.csv")} == {
        "network",
        "ridge",
        "forest",
    }
    assert "scikit-learn" in run.page.read_text(encoding="utf-8")


def test_references_need_images_of_their_own(config):
    whole = replace(config, references=True, data=replace(config.data, test=["f0", "f1"]))
    with pytest.raises(
        GrainsegError, match="--references: 1 of the images are left to tune on, 2 are needed"
    ):
        robustness(whole)


def test_references_are_tuned_as_the_network_was_but_never_on_a_picture_of_the_card(config, monkeypatch):
    monkeypatch.setattr(module, "read_labelled", lambda item, *_: item)
    items, trained = {stem: stem for stem in "abcd"}, dict.fromkeys("abcd", TRAINED)
    assert module._tuning_images(config, items, trained | {"c": VALIDATED}, ["a"]) == (["b", "d"], ["c"])
    for unknown in (trained, dict.fromkeys("abcd", UNKNOWN)):
        assert module._tuning_images(config, items, unknown, ["a"]) == (["b", "c"], ["d"])


def test_an_image_that_is_not_there_is_named(config):
    told = replace(config, data=replace(config.data, test=["u\u0308"]))  # as macOS writes ü
    assert module._choose(told, {"ü": UNKNOWN}) == (["ü"], "the images that were named")
    with pytest.raises(GrainsegError, match="test=x: is no labelled image; there are f0, f1, f2"):
        robustness(replace(config, data=replace(config.data, test=["x"])))
