"""Several networks in one checkpoint: all come back; a file that lies about them is refused in one line."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from grainseg.errors import GrainsegError
from grainseg.model.checkpoint import KEY, CheckpointSpec, load_network, read_checkpoint
from grainseg.model.ensemble import load_networks, write_ensemble
from grainseg.model.networks import build_network
from grainseg.pipeline.export import export

SPEC = CheckpointSpec("unet", "tu-mobilenetv3_small_100", 1, 16, {}, 64, 32, 0.5, 3.0, 0)


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return build_network(SPEC.network)


@pytest.fixture(scope="module")
def networks() -> list[nn.Module]:
    return [network(seed) for seed in range(3)]


@pytest.fixture
def written(networks: list[nn.Module], tmp_path: Path) -> Path:
    path = tmp_path / "a=b (1) ü" / "best.ckpt"
    write_ensemble(path, SPEC, networks)
    return path


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


def test_all_members_come_back_in_order(written: Path, networks: list[nn.Module]) -> None:
    spec, loaded = load_networks(written)
    assert replace(spec, versions={}) == replace(SPEC, members=3)
    assert [same(*pair) for pair in zip(loaded, networks, strict=True)] == [True] * 3
    assert not same(loaded[0], networks[1]), "the members differ, or the test shows nothing"
    assert not any(each.training for each in loaded)
    assert set(torch.load(written, weights_only=True)) == {"state_dict", KEY}


def test_one_network_is_a_plain_checkpoint(networks: list[nn.Module], tmp_path: Path) -> None:
    write_ensemble(tmp_path / "x.ckpt", SPEC, networks[:1])
    spec, alone = load_network(tmp_path / "x.ckpt")
    assert spec.members == 1
    assert same(alone, networks[0])
    assert same(load_networks(str(tmp_path / "x.ckpt"))[1][0], networks[0])


@pytest.mark.parametrize("count", [0, 17])
def test_too_few_or_too_many_are_not_written(count: int, networks: list[nn.Module], tmp_path: Path) -> None:
    with pytest.raises(GrainsegError, match=f"an ensemble has 1 to 16 networks, not {count}"):
        write_ensemble(tmp_path / "x.ckpt", SPEC, networks[:1] * count)


def test_where_one_network_is_wanted_an_ensemble_is_refused(written: Path, tmp_path: Path) -> None:
    for refused in (lambda: load_network(written), lambda: export(written, tmp_path / "x.safetensors")):
        with pytest.raises(GrainsegError, match="holds an ensemble of 3 networks, which can only predict"):
            refused()
    assert not (tmp_path / "x.safetensors").exists()


def lose_a_member(content: dict[str, Any]) -> None:
    state = content["state_dict"]
    content["state_dict"] = {key: value for key, value in state.items() if not key.startswith("network.1.")}


def lose_a_weight(content: dict[str, Any]) -> None:
    del content["state_dict"]["network.2.segmentation_head.0.bias"]


def add_a_member(content: dict[str, Any]) -> None:
    content["state_dict"]["network.3.segmentation_head.0.bias"] = torch.zeros(1)


def write_one_without_its_number(content: dict[str, Any]) -> None:
    content["state_dict"]["network.segmentation_head.0.bias"] = torch.zeros(1)


def claim(members: object) -> Callable[[dict[str, Any]], None]:
    return lambda content: content[KEY].update(members=members)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lose_a_member, "the weights of member 1 of 3 are missing"),
        (lose_a_weight, "weights do not fit"),
        (add_a_member, "weights of none of its 3 members"),
        (write_one_without_its_number, "weights of none of its 3 members"),
        (claim(1), "weights do not fit"),
        (claim(2), "weights of none of its 2 members"),
        (claim(16), "the weights of member 3 of 16 are missing"),
        *((claim(value), "out of range") for value in (0, -1, 17, 10**400)),
        *(
            (claim(value), "'members' is missing or cannot be")
            for value in (True, None, 3.0, "3", [3], torch.tensor(3))
        ),
        (lambda content: content[KEY].pop("members"), "'members' is missing or cannot be"),
        (lambda content: content[KEY].update(format=11), "has layout 11, this version reads 3 to 10"),
    ],
)
def test_what_cannot_be_is_refused(
    change: Callable[[dict[str, Any]], None], message: str, written: Path
) -> None:
    content = torch.load(written, weights_only=True)
    change(content)
    torch.save(content, written)
    with pytest.raises(GrainsegError) as caught:
        load_networks(written)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_the_layout_before_is_one_network(networks: list[nn.Module], tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    write_ensemble(path, SPEC, networks[:1])
    content = torch.load(path, weights_only=True)
    content[KEY]["format"] = 3
    for name in ("members", "label_offset_px", "shrink", "tta", "adapt", "validation"):
        del content[KEY][name]
    torch.save(content, path)
    spec, _ = read_checkpoint(path)
    assert replace(spec, versions={}) == SPEC
    assert same(load_network(path)[1], networks[0])
