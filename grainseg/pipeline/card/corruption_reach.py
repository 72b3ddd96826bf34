"""Compare the image changes seen in training with the corruptions of the robustness card."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from grainseg.grains.trust.robustness import Seen
from grainseg.micrograph.corruptions import COMBINED, KINDS, Kind
from grainseg.micrograph.wide.recipe import WIDE
from grainseg.pipeline.runs.training_record import STREAM_AUGMENT, TrainingRecord

_Reach = tuple[float, str]
"""Largest change in training, as a distance from the untouched picture (see `_DEPTHS`), and in words."""


def kinds_seen(record: TrainingRecord) -> dict[str, Seen]:
    """Return whether training has seen each kind of corruption, and how strong it was there.

    Even where the answer is "yes", training draws its changes with other seeds, and generates some of them in
    another way.

    Args:
        record: What is known of the training.

    Returns:
        The answers by the name of the kind.
    """
    if not record.config:
        return {kind.name: Seen("unknown", "nothing is known of the training") for kind in KINDS}
    try:
        reaches = _reaches(record.config)
    except (KeyError, TypeError, ValueError, ArithmeticError, IndexError):
        return {kind.name: Seen("unknown", f"{record.source} does not say") for kind in KINDS}
    found = {kind.name: _answer(kind, reaches.get(kind.name)) for kind in KINDS}
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
"""Distance of an amount from the untouched picture for each kind, to compare training with the card. Kinds
that training never draws have no entry."""


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
    """Return the larger reach of each kind."""
    nothing = (0.0, "")
    return {name: max(one.get(name, nothing), other.get(name, nothing)) for name in {*one, *other}}


def _number(value: Any) -> float:
    """Return a number (or truth value) as a float, and 0 for anything else, such as a name."""
    return float(value) if isinstance(value, int | float) else 0.0


def _of_augmentation(augment: Mapping[str, float]) -> dict[str, _Reach]:
    """Return the reaches of the augmentation of training patches, see ``grainseg.data.photometry``."""
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
    """Return the reaches of synthetic pictures, see ``grainseg.micrograph.wide.recipe``."""

    def most(key: str) -> float:
        """Return the highest value of a property; of three numbers, the first is the share that has it."""
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
