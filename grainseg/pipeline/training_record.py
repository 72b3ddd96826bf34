"""What can be told of a checkpoint's training: which images it used, and which changes it has seen.

A checkpoint itself does not say. Its run folder does, as long as it lies there: ``config.yaml`` beside
``checkpoints/``. Of the weights that ship with the package the recipe is known. All else is unknown, and is
called so.
"""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from grainseg.errors import GrainsegError
from grainseg.grains.robustness import Seen
from grainseg.micrograph.corruptions import COMBINED, KINDS, Kind
from grainseg.micrograph.files import file_sha256
from grainseg.micrograph.folder import LabelledImage, list_folder, split_with_test
from grainseg.micrograph.wide.recipe import WIDE
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.model.generic import ships
from grainseg.training.run_folder import CONFIG

log = logging.getLogger(__name__)

TRAINED, VALIDATED, TESTED = "trained the network", "chose the checkpoint", "neither trained nor chose"
FOREIGN = "no image of the training run"
UNKNOWN = "unknown whether it trained the network"

STREAM_AUGMENT: Mapping[str, float] = {"offset": 0.15, "gain": 0.3, "invert": 0.1}
"""What ``augment=stream`` adds to the recipe with which weights that ship are trained."""

_Reach = tuple[float, str]
"""How far training goes from the untouched picture, in the measure of `_DEPTHS`, and the same in words."""


@dataclass(frozen=True)
class TrainingRecord:
    """What is known of a training.

    Attributes:
        source: Who says so, in words; empty where nothing is known.
        config: The run's configuration in plain values.
    """

    source: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


def read_record(checkpoint: Path, spec: CheckpointSpec) -> TrainingRecord:
    """Find what is known of a checkpoint's training.

    Args:
        checkpoint: The file.
        spec: What it says; a configuration of another run is not taken for its own.

    Returns:
        The record, an empty one where nothing is known.
    """
    if ships(checkpoint):
        config: dict[str, Any] = {
            "data": {"name": "stream", "recipe": asdict(WIDE)},
            "augment": dict(STREAM_AUGMENT),
        }
        return TrainingRecord("the recipe of the weights that ship", config)
    try:
        known = recorded_config(checkpoint, spec)
    except GrainsegError:
        return TrainingRecord()
    return TrainingRecord() if known is None else TrainingRecord(f"{CONFIG} of its run folder", known)


def recorded_config(checkpoint: Path, spec: CheckpointSpec) -> dict[str, Any] | None:
    """The configuration in the run folder of a checkpoint, in plain values; None where there is none.

    Args:
        checkpoint: The file.
        spec: What it says.

    Raises:
        GrainsegError: The configuration cannot be read, or is that of another run.
    """
    path = checkpoint.resolve().parent.parent / CONFIG
    if not path.is_file():
        return None
    advice = f"put back that of {checkpoint}, or remove it if nothing shall be known of its training"
    config = read_config(path, advice)
    if not all(isinstance(config.get(group), dict) for group in ("data", "augment", "model")):
        log.warning("%s: is no configuration of a training; nothing is known of that of %s", path, checkpoint)
        return None
    said = config.get("seed"), config["model"].get("architecture"), config["model"].get("encoder")
    if said != (spec.seed, spec.architecture, spec.encoder):
        raise GrainsegError(f"{path}: is the configuration of another training; {advice}")
    return config


def read_config(path: Path, advice: str) -> dict[str, Any]:
    """The values of a ``config.yaml``, plain and unchecked; none where it holds something else.

    Args:
        path: The file.
        advice: What to do if it cannot be read.

    Raises:
        GrainsegError: It cannot be read.
    """
    try:
        found = OmegaConf.to_container(OmegaConf.load(path))
    except Exception as error:  # a text of any kind: the readers of YAML raise errors of their own
        raise GrainsegError(f"{path}: cannot be read; {advice}") from error
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def image_roles(record: TrainingRecord, images: Sequence[LabelledImage]) -> dict[str, str]:
    """What each image did for the network, told by its bytes: names may differ, copies may lie elsewhere.

    Args:
        record: Of the training.
        images: The images asked about.

    Returns:
        By stem one of ``TRAINED``, ``VALIDATED``, ``TESTED``, ``FOREIGN`` and ``UNKNOWN``.
    """
    data = record.config.get("data", {})
    if data.get("name") == "stream":  # it trains and validates on drawn pictures alone
        return dict.fromkeys((image.stem for image in images), FOREIGN)
    try:
        root = Path(str(data["root"]))
        files = list_folder(root).by_stem
        split = split_with_test(list(files), *(data.get(key) for key in ("val", "test", "fold", "folds")))
        by_content = {
            file_sha256(files[stem].image): role
            for stems, role in zip(split, (TRAINED, VALIDATED, TESTED), strict=True)
            for stem in stems
        }
        if record.config.get("leave_one_out"):  # each trained all networks but one
            trained = {digest for digest, role in by_content.items() if role != TESTED}
            by_content |= dict.fromkeys(trained, TRAINED)
    except (GrainsegError, KeyError, TypeError, OSError):
        return dict.fromkeys((image.stem for image in images), UNKNOWN)
    # A relative root may name another folder here than where the run was started.
    otherwise = FOREIGN if root.is_absolute() else UNKNOWN
    return {image.stem: by_content.get(file_sha256(image.image), otherwise) for image in images}


def kinds_seen(record: TrainingRecord) -> dict[str, Seen]:
    """Whether training has seen each kind of corruption, and how far it went.

    Training's own changes have other seeds and partly another making than the card's, whatever the answer.

    Args:
        record: Of the training.

    Returns:
        By name of the kind.
    """
    if not record.config:
        return {kind.name: Seen("unknown", "nothing is known of the training") for kind in KINDS}
    try:
        reaches = _reaches(record.config)
    except (KeyError, TypeError, ValueError, ArithmeticError, IndexError):
        return {kind.name: Seen("unknown", f"{record.source} does not say") for kind in KINDS}
    found = {kind.name: _answer(kind, reaches.get(kind.name)) for kind in KINDS if kind.name in _DEPTHS}
    parts = [found[name].answer for name, _ in COMBINED]
    some = [name for name, _ in COMBINED if found[name].answer != "no"]
    if some:
        answer = "yes" if set(parts) == {"yes"} else "in part"
        return found | {"combination": Seen(answer, f"its parts {', '.join(some)}, by chance together")}
    return found | {"combination": Seen("no", "none of its parts")}


def _answer(kind: Kind, reach: _Reach | None) -> Seen:
    if reach is None or not reach[0] > 0:
        return Seen("no", "not drawn in training")
    strongest = max(_DEPTHS[kind.name](amount) for amounts in kind.amounts.values() for amount in amounts)
    return Seen("yes" if reach[0] >= strongest * (1 - 1e-9) else "weaker", reach[1])


_DEPTHS: Mapping[str, Callable[[float], float]] = {
    "gain": lambda factor: abs(factor - 1),
    "offset": abs,
    "gamma": lambda exponent: abs(math.log(exponent)),
    "contrast": lambda factor: 1 - factor,
    "linear": abs,
    "corner": abs,
    "blur": abs,
    "poisson": lambda counts: 1 / counts,
    "gaussian": abs,
    "texture": abs,
    "stripes": abs,
    "inversion": abs,
    "half": lambda factor: abs(math.log(factor)),
    "double": lambda factor: abs(math.log(factor)),
    "jpeg": lambda quality: 100 - quality,
}
"""How far an amount of a kind is from the untouched picture, so that training and card can be compared."""


def _reaches(config: Mapping[str, Any]) -> dict[str, _Reach]:
    augmented = _of_augmentation({key: _number(value) for key, value in config["augment"].items()})
    if config["data"]["name"] == "stream":
        return _strongest(augmented, _of_recipe(config["data"]["recipe"]))
    if config["model"]["init"] != "generic":
        return augmented
    before = _strongest(_of_augmentation(STREAM_AUGMENT), _of_recipe(asdict(WIDE)))
    return _strongest(
        augmented, {name: (reach, f"{words}, in pretraining") for name, (reach, words) in before.items()}
    )


def _strongest(one: Mapping[str, _Reach], other: Mapping[str, _Reach]) -> dict[str, _Reach]:
    """Of every kind, what goes further."""
    nothing = (0.0, "")
    return {name: max(one.get(name, nothing), other.get(name, nothing)) for name in {*one, *other}}


def _number(value: Any) -> float:
    """Names and truth values say nothing of a range."""
    return float(value) if isinstance(value, int | float) else 0.0


def _of_augmentation(augment: Mapping[str, float]) -> dict[str, _Reach]:
    """Of patches cut from labelled pictures, see ``grainseg.data.photometry``."""
    value = dict.fromkeys(("gain", "offset", "contrast", "illumination", "blur_px", "noise", "texture"), 0.0)
    value |= {"invert": 0.0, "gamma": 1.0, "scale_min": 1.0, "scale_max": 1.0} | dict(augment)
    scaled = f"patches scaled by {value['scale_min']:g} to {value['scale_max']:g}"
    light = f"light of other shapes, up to ±{value['illumination']:g}"
    return {
        "gain": (value["gain"], f"× 1 ± {value['gain']:g}"),
        "offset": (value["offset"], f"±{value['offset']:g}"),
        "gamma": (math.log(value["gamma"]), f"γ {1 / value['gamma']:.2g} to {value['gamma']:g}"),
        "contrast": (value["contrast"], f"× 1 ± {value['contrast']:g} about the mean"),
        "linear": (value["illumination"], light),
        "corner": (value["illumination"], light),
        "blur": (value["blur_px"], f"σ up to {value['blur_px']:g} px"),
        "gaussian": (value["noise"], f"sd up to {value['noise']:g}"),
        "texture": (value["texture"], f"sd up to {value['texture']:g}, of other wavelengths"),
        "inversion": (float(value["invert"] > 0), f"{value['invert']:.0%} of the patches"),
        "half": (-math.log(value["scale_min"]), scaled),
        "double": (math.log(value["scale_max"]), scaled),
    }


def _of_recipe(recipe: Mapping[str, Any]) -> dict[str, _Reach]:
    """Of synthetic pictures, see ``grainseg.micrograph.wide.recipe``."""

    def most(key: str) -> float:
        """Highest value that a picture can have."""
        values = recipe[key]
        return float(values[-1]) if len(values) == 2 or values[0] > 0 else 0.0

    gamma = max(abs(math.log(end)) for end in recipe["gamma"])
    small, large = recipe["grain_px"]
    sizes = (math.log(large / small), f"grains of {small:g} to {large:g} px")
    texture = max(most("texture"), most("mottle"))
    coarsest = float(recipe["jpeg_quality"][1]) if most("jpeg_quality") else 100.0
    return {
        "gamma": (gamma, "γ {:g} to {:g}".format(*recipe["gamma"])),
        "contrast": (1.0, "grooves {:g} to {:g} deep".format(*recipe["groove_depth"])),
        "linear": (most("illumination") / 2, f"ramps and spots, up to ±{most('illumination') / 2:g}"),
        "corner": (most("vignette"), f"dark corners, down to −{most('vignette'):g}"),
        "blur": (most("defocus_px"), f"σ up to {most('defocus_px'):g} px"),
        "poisson": (1 / recipe["electrons"][0], "{:g} to {:g} counts at white".format(*recipe["electrons"])),
        "gaussian": (most("read_noise"), f"sd up to {most('read_noise'):g}"),
        "texture": (texture, f"sd up to {texture:g}, of other wavelengths"),
        "stripes": (most("line_noise"), f"sd up to {most('line_noise'):g}"),
        "half": sizes,
        "double": sizes,
        "jpeg": (100 - coarsest, f"quality from {coarsest:g}"),
    }
