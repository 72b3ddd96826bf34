"""Checkpoints: what is written reads back; what is not one, or lies, is refused in one line."""

import pickle
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate

from grainseg.errors import GrainsegError
from grainseg.grains.batches.budget import SegmentationError
from grainseg.grains.closing.partition import PartitionSettings
from grainseg.grains.scoring.validation import ValidationScores
from grainseg.grains.trust.doubt import DEFAULT_REFERENCE
from grainseg.inference.predictor import tile_settings
from grainseg.micrograph.folders.used_images import UsedImages
from grainseg.model.checkpoint import (
    _NEW,
    FORMAT,
    KEY,
    NETWORK_PREFIX,
    CheckpointSpec,
    add_to_checkpoint,
    load_network,
    read_checkpoint,
)
from grainseg.model.networks import NetworkSpec, build_network

SPEC = CheckpointSpec(
    architecture="unet",
    encoder="tu-mobilenetv3_small_100",
    in_channels=1,
    decoder_width=32,
    options={},
    tile_size=64,
    overlap=32,
    threshold=0.5,
    line_width_px=3.1,
    seed=4,
)

SETTINGS = asdict(SPEC.partition)
DOUBT = dict(DEFAULT_REFERENCE)
USED = UsedImages({"a": "0" * 64}, {"b": "f" * 64}, {})
ERROR = {"bias_ln": 0.1, "sd_ln": 0.0, "images": 1, "source": "a validation image"}
SCORES = asdict(ValidationScores(0.78, 0.3, 0.07, 0.11, 3))


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    torch.manual_seed(0)
    network = build_network(SPEC.network)
    state = {NETWORK_PREFIX + key: value for key, value in network.state_dict().items()}
    return {"state_dict": state, KEY: SPEC.to_plain()}


def saved(content: dict[str, Any], folder: Path) -> Path:
    path = folder / "epoch=3 (1).ckpt"
    torch.save(content, path)
    return path


def test_what_is_written_reads_back(content: dict[str, Any], tmp_path: Path) -> None:
    spec, network = load_network(saved(content, tmp_path))
    assert replace(spec, versions={}) == SPEC
    assert {"python", "grainseg", "torch", "segmentation-models-pytorch"} <= set(spec.versions)
    assert not network.training
    for key, value in network.state_dict().items():
        assert torch.equal(value, content["state_dict"][NETWORK_PREFIX + key])


def test_what_is_said_of_the_grains_can_be_added_later(content: dict[str, Any], tmp_path: Path) -> None:
    path = saved(content, tmp_path)
    partition = PartitionSettings(0.3, 0.4, 0.1, 0.01)
    error = SegmentationError(-0.02, 0.01, 3, "three images")
    known = {"segmentation": error, "doubt_reference": DOUBT, "validation": ValidationScores(**SCORES)}
    later = replace(SPEC, partition=partition, images=USED, **known)
    add_to_checkpoint(path, later)
    spec, weights = read_checkpoint(path)
    assert replace(spec, versions={}) == later
    assert weights.keys() == load_network(path)[1].state_dict().keys()


@pytest.mark.parametrize("layout", [3, 4, 5, 7, 8, 9])
def test_the_layouts_before_are_read(content: dict[str, Any], tmp_path: Path, layout: int) -> None:
    new = {name for older in range(layout, FORMAT) for name in _NEW[older]}
    before = {name: value for name, value in content[KEY].items() if name not in new} | {"format": layout}
    spec, _ = load_network(saved(content | {KEY: before}, tmp_path))
    assert replace(spec, versions={}) == SPEC
    del before["steps"]
    with pytest.raises(GrainsegError, match="'steps' is missing or cannot be"):
        read_checkpoint(saved(content | {KEY: before}, tmp_path))
    del content[KEY]["intercept_px"]
    with pytest.raises(GrainsegError, match="'intercept_px' is missing or cannot be"):
        read_checkpoint(saved(content, tmp_path))
    content[KEY]["intercept_px"] = None


def test_what_is_said_of_the_scale_reads_back(content: dict[str, Any], tmp_path: Path) -> None:
    known = replace(SPEC, pixel_size_um=0.25, intercept_px=31.5)
    spec, _ = read_checkpoint(saved(content | {KEY: known.to_plain()}, tmp_path))
    assert (spec.pixel_size_um, spec.intercept_px) == (0.25, 31.5)


def test_the_offset_of_the_labels_reads_back(content: dict[str, Any], tmp_path: Path) -> None:
    known = replace(SPEC, label_offset_px=(0.5, -0.25))
    spec, _ = read_checkpoint(saved(content | {KEY: known.to_plain()}, tmp_path))
    assert spec.label_offset_px == (0.5, -0.25)


def test_a_network_that_looks_at_shrunk_pictures_comes_back_as_one(
    content: dict[str, Any], tmp_path: Path
) -> None:
    plain = load_network(saved(content, tmp_path))[1]
    known = replace(SPEC, shrink=2)
    spec, network = load_network(saved(content | {KEY: known.to_plain()}, tmp_path))
    assert spec.shrink == 2
    picture = torch.rand(1, 1, 128, 64)
    expected = interpolate(plain(avg_pool2d(picture, 2)), scale_factor=2, mode="bilinear")
    torch.testing.assert_close(network(picture), expected)
    tiles = tile_settings(spec)
    assert (tiles.tile_size, tiles.overlap, tiles.stride) == (2 * SPEC.tile_size, 2 * SPEC.overlap, 64)


class Exploit:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("exploited"),))


def test_no_code_of_the_file_runs(
    content: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for bad in (content | {"extra": Exploit()}, Exploit()):
        with pytest.raises(GrainsegError, match="not a checkpoint"):
            read_checkpoint(saved(bad, tmp_path))  # type: ignore[arg-type]
    assert not Path("exploited").exists()


@pytest.mark.parametrize("kind", ["empty", "text", "pickle", "zip", "cut", "folder", "missing"])
def test_what_is_no_checkpoint_is_refused(kind: str, content: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    if kind == "cut":
        path = saved(content, tmp_path)
        path.write_bytes(path.read_bytes()[:5000])
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", "b")
    elif kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes({"empty": b"", "text": b"hello\n" * 99, "pickle": pickle.dumps([1])}[kind])
    with pytest.raises(GrainsegError) as caught:
        read_checkpoint(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"architecture": "os.system"},
            "(1).ckpt: names a network that cannot be built (architecture=os.system is unknown); give ano",
        ),
        (
            {"encoder": "tu-hf-hub:someone/something"},
            "built (encoder=tu-hf-hub:someone/something is unknown)",
        ),
        ({"options": {"encoder_weights": "imagenet"}}, "(options.encoder_weights=imagenet is not an option"),
        ({"options": {"_target_": "os.system"}}, "is not an option"),
        ({"in_channels": 1.0}, "'in_channels' is missing or cannot be"),
        ({"in_channels": True}, "'in_channels' is missing or cannot be"),
        ({"surprise": 1}, "'surprise' is missing or cannot be"),
        ({3: 1}, "'3' is missing or cannot be"),
        ({"options": {"decoder_channels": [10**9] * 5}}, "is not an option"),
        ({"options": {"decoder_channels": [16] * 10**5}}, "…); give another one"),
        ({"decoder_width": 10**9}, "out of range"),
        ({"tile_size": 100}, "out of range"),
        ({"threshold": float("nan")}, "out of range"),
        ({"tta": "d8"}, "out of range"),
        ({"tta": None}, "'tta' is missing or cannot be"),
        *(({"adapt": value}, "out of range") for value in (-0.1, 1.1, float("nan"))),
        *(({"adapt": value}, "'adapt' is missing or cannot be") for value in (0, True, "0.1", None)),
        *(({"shrink": value}, "out of range") for value in (0, -1, 9, 10**400)),
        *(({"shrink": value}, "'shrink' is missing or cannot be") for value in (True, 2.0, "2", None)),
        *(
            ({name: value}, "out of range")
            for name in ("pixel_size_um", "intercept_px")
            for value in (0.0, -1.0, 1e9, float("nan"), float("inf"))
        ),
        *(
            ({name: value}, f"'{name}' is missing or cannot be")
            for name in ("pixel_size_um", "intercept_px")
            for value in (1, True, "1.0", [1.0], torch.tensor(1.0))
        ),
        *(
            ({"label_offset_px": value}, "label_offset_px is no offset in its range")
            for value in ((), (0.5,), (0.5, 0.5, 0.5), (0.5, 5.0), (0.5, float("nan")), (0.5, "1"), (1, True))
        ),
        ({"label_offset_px": 0.5}, "'label_offset_px' is missing or cannot be"),
        ({"normalization": "z-score"}, "needs normalisation z-score, "),
        ({"normalization": "z" * 10_000}, f"needs normalisation {'z' * 199}…, "),
        ({"format": 99}, "has layout 99"),
        ({"format": 3.0}, "has layout unknown"),
        ({"format": torch.zeros(3)}, "has layout unknown"),
        (
            {"partition": {"threshold": 0.5}},
            "grains cannot be: its settings are not those of this version; g",
        ),
        ({"partition": SETTINGS | {"threshold": 1.0}}, "threshold 1.0 outside"),
        ({"partition": SETTINGS | {"depth": float("nan")}}, "depth is no number in its range"),
        ({"partition": SETTINGS | {"depth": "deep"}}, "values for the grains cannot be"),
        ({"partition": SETTINGS | {"more": 1.0}}, "values for the grains cannot be"),
        ({"segmentation": {"bias_ln": 0.1}}, "values for the grains cannot be"),
        ({"segmentation": ERROR | {"bias_ln": float("inf")}}, "values for the grains cannot be"),
        ({"segmentation": ERROR | {"bias_ln": "much"}}, "values for the grains cannot be"),
        ({"segmentation": ERROR | {"images": 2, "sd_ln": -1.0}}, "values for the grains cannot be"),
        *(
            ({"partition": SETTINGS | {name: value}}, f"grains cannot be: {name} is no number in its range")
            for name in SETTINGS
            for value in ("0.5", True, None, [0.5], 10**400, float("inf"), torch.tensor(0.5))
        ),
        *(
            ({"segmentation": ERROR | {name: value}}, f"values for the grains cannot be: {name} of the")
            for name in ERROR
            for value in (True, None, [1], 10**400, float("nan"), torch.tensor(1), "x\ny")
        ),
        ({"segmentation": ERROR | {"images": "1"}}, "images of the segmentation error is no whole number"),
        *(
            ({"doubt_reference": reference}, "values for the grains cannot be")
            for reference in (
                {},
                DOUBT | {"more": (0.0, 1.0)},
                DOUBT | {"noise": (0.0, -1.0)},
                DOUBT | {"noise": (float("nan"), 1.0)},
                DOUBT | {"noise": torch.zeros(2)},
                DOUBT | {"noise": "12"},
            )
        ),
        ({"images": {"train": {}}}, "images are no three parts"),
        ({"images": ["a"]}, "'images' is missing or cannot be"),
        ({"validation": {"boundary_f1": 0.9}}, "values for the grains cannot be"),
        ({"validation": SCORES | {"images": 10**400}}, "images of the validation is no whole number"),
        ({"validation": [0.9]}, "'validation' is missing or cannot be"),
        ({"doubt_reference": [0.0]}, "'doubt_reference' is missing or cannot be"),
        ({"segmentation": ERROR | {3: 1}}, "values for the grains cannot be"),
        ({"partition": SETTINGS | {3: 1}}, "values for the grains cannot be"),
        ({"decoder_width": 64}, "weights do not fit"),
        ({"encoder": "resnet18"}, "weights do not fit"),
    ],
)
def test_values_that_cannot_be_are_refused(
    changes: dict[Any, Any], message: str, content: dict[str, Any], tmp_path: Path
) -> None:
    path = saved(content | {KEY: content[KEY] | changes}, tmp_path)
    with pytest.raises(GrainsegError) as caught:
        load_network(path)
    assert message in str(caught.value)


def test_whole_numbers_are_no_weights(content: dict[str, Any], tmp_path: Path) -> None:
    key = f"{NETWORK_PREFIX}segmentation_head.0.weight"
    state = content["state_dict"]
    with pytest.raises(GrainsegError, match="weights do not fit unet with"):
        load_network(saved(content | {"state_dict": state | {key: state[key].long()}}, tmp_path))
    load_network(saved(content | {"state_dict": state | {key: state[key].half()}}, tmp_path))


@pytest.mark.parametrize("encoder", ["resnet152", "mit_b0"])
def test_a_small_file_has_no_huge_network_built(
    encoder: str, content: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = []

    def build(spec: NetworkSpec) -> nn.Module:
        devices.append(torch.get_default_device().type)
        return build_network(spec)

    monkeypatch.setattr("grainseg.model.checkpoint.build_network", build)
    with pytest.raises(GrainsegError, match="weights do not fit"):
        load_network(saved(content | {KEY: content[KEY] | {"encoder": encoder}}, tmp_path))
    assert devices == ["meta"]
    load_network(saved(content, tmp_path))
    assert devices == ["meta", "meta", "cpu"]


@pytest.mark.parametrize("lost", [KEY, "state_dict"])
def test_parts_that_are_missing_are_named(lost: str, content: dict[str, Any], tmp_path: Path) -> None:
    path = saved({key: value for key, value in content.items() if key != lost}, tmp_path)
    with pytest.raises(GrainsegError, match=r"was not written by grainseg|holds no weights"):
        read_checkpoint(path)
