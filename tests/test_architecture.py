"""The rooms of the house and which of them may import which."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "grainseg"

# Room -> rooms that it may import. Everything may import ``errors``.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "micrograph": set(),
    "console": {"micrograph"},
    "versions": set(),
    "tiling": set(),
    "grains": {"micrograph"},
    "report": {"micrograph", "grains"},
    "baseline": {"micrograph", "grains"},
    "config": {"micrograph", "grains"},
    "data": {"config", "micrograph", "tiling", "grains"},
    "model": {"versions", "config", "micrograph", "grains"},
    "inference": {"config", "micrograph", "tiling", "model"},
    "training": {"config", "micrograph", "grains", "report", "data", "model", "inference"},
    "pipeline": {
        "versions",
        "console",
        "config",
        "micrograph",
        "grains",
        "report",
        "baseline",
        "data",
        "model",
        "inference",
        "training",
    },
    "overrides": set(),
    "hydra_app": {"config", "report", "pipeline", "overrides", "console"},
    "subcommands": {"config", "grains", "pipeline", "console"},
    "cli": {"config", "subcommands", "console"},
}
NO_TORCH = {
    "errors",
    "versions",
    "micrograph",
    "tiling",
    "grains",
    "report",
    "baseline",
    "config",
    "overrides",
    "hydra_app",
    "console",
    "subcommands",
    "cli",
}
TORCH = {"torch", "lightning", "torchmetrics", "segmentation_models_pytorch", "timm", "torchvision"}


def room_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            # Of a room as a whole, too: from grainseg import report.
            names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def test_every_room_is_in_the_table() -> None:
    assert {room_of(path) for path in MODULES} == set(ALLOWED)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_stay_within_the_allowed_rooms(path: Path) -> None:
    room, names = room_of(path), imported(path)
    rooms = {name.split(".")[1] for name in names if name.startswith("grainseg.")} - {"__version__"}
    assert rooms <= ALLOWED[room] | {room, "errors"}
    packages = {name.split(".")[0] for name in names}
    if room in NO_TORCH:
        assert not packages & TORCH
    if room != "hydra_app":
        assert "hydra" not in packages
    if path.name != "photometry.py":
        assert "albumentations" not in packages


def test_the_table_has_no_cycle() -> None:
    done: set[str] = set()
    while len(done) < len(ALLOWED):
        ready = {room for room, needs in ALLOWED.items() if room not in done and needs <= done}
        assert ready, "a cycle among the rooms"
        done |= ready


@pytest.mark.parametrize("room", sorted({path.parent.name for path in PACKAGE.glob("*/*.py")}))
def test_the_parts_of_a_room_depend_on_each_other_in_one_direction(room: str) -> None:
    # A part is a folder of the room, or a module that stands in the room itself.
    needs: dict[str, set[str]] = {}
    for path in (PACKAGE / room).rglob("*.py"):
        part = path.relative_to(PACKAGE / room).parts[0].removesuffix(".py")
        named = {tuple(name.split(".")) for name in imported(path)}
        inside = {name[2] for name in named if name[:2] == ("grainseg", room) and len(name) > 2}
        needs.setdefault(part, set()).update(inside - {part})
    parts = set(needs)
    for part in parts:
        needs[part] &= parts
    TopologicalSorter(needs).prepare()  # raises a CycleError


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_stay_in_one_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350
