"""The average of the weights: what it is, that it validates and is kept, and that a run goes on with it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning import LightningModule, Trainer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

from grainseg.config import TrainConfig
from grainseg.errors import GrainsegError
from grainseg.model.checkpoint import read_checkpoint
from grainseg.pipeline.train import _build_module, _build_network, _read_data, train
from grainseg.training import averaging
from grainseg.training.averaging import AveragedWeights
from grainseg.training.runtime import quiet_lightning

DECAY = 0.9
LAST = Path("checkpoints") / "last.ckpt"


@pytest.fixture(scope="module")
def config(smoke_config: TrainConfig) -> TrainConfig:
    return replace(
        smoke_config,
        epochs=3,
        batch_size=1,  # 12 steps: the decay rises from 0.1 to 0.57
        partition=replace(smoke_config.partition, name="none"),
        trainer=replace(smoke_config.trainer, precision="32-true"),
        callbacks=replace(smoke_config.callbacks, ema_decay=DECAY),
    )


def floats(module: LightningModule) -> dict[str, Tensor]:
    """Weights and running statistics in double precision."""
    network = module.get_submodule("network")
    return {
        name: value.detach().double().clone()
        for name, value in network.state_dict().items()
        if value.is_floating_point()
    }


@pytest.fixture(scope="module")
def recorded(
    config: TrainConfig, module_folder: Path
) -> tuple[Path, dict[str, float], list[dict[str, Tensor]]]:
    """A run, and what the network was at its start and after each step."""
    history: list[dict[str, Tensor]] = []
    begin, step = AveragedWeights.on_train_start, AveragedWeights.on_train_batch_end

    def on_start(self: AveragedWeights, trainer: Trainer, module: LightningModule) -> None:
        history.append(floats(module))
        begin(self, trainer, module)

    def on_step(self: AveragedWeights, trainer: Trainer, module: LightningModule, *rest: object) -> None:
        history.append(floats(module))
        step(self, trainer, module, *rest)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AveragedWeights, "on_train_start", on_start)
        patch.setattr(AveragedWeights, "on_train_batch_end", on_step)
        metrics = train(config, module_folder)
    return module_folder, metrics, history


def weighted_mean(history: list[dict[str, Tensor]], name: str) -> Tensor:
    """The average as one sum over all steps, with the weight of each worked out by itself."""
    decays = [min(DECAY, step / (step + 9)) for step in range(1, len(history))]
    share, total = 1.0, torch.zeros_like(history[0][name])
    for decay, values in zip(reversed(decays), reversed(history[1:]), strict=True):
        total += share * (1 - decay) * values[name]
        share *= decay
    return total + share * history[0][name]


def test_the_checkpoints_hold_the_average(
    recorded: tuple[Path, dict[str, float], list[dict[str, Tensor]]],
) -> None:
    folder, _, history = recorded
    assert len(history) == 1 + 3 * 4
    _, weights = read_checkpoint(folder / LAST)
    moved = 0.0
    for name, latest in history[-1].items():
        expected = weighted_mean(history, name)
        torch.testing.assert_close(weights[name].double(), expected, rtol=1e-4, atol=1e-6)
        moved = max(moved, float((latest - expected).abs().max()))
    assert moved > 1e-2
    best = torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)
    ends = [history[: 1 + 4 * epoch] for epoch in range(1, 4)]
    name = "segmentation_head.0.weight"
    matching = [
        torch.allclose(best["state_dict"][f"network.{name}"].double(), weighted_mean(end, name), atol=1e-6)
        for end in ends
    ]
    assert matching.count(True) == 1
    assert "optimizer_states" not in best
    assert "callbacks" not in best
    counts = [value for name, value in weights.items() if name.endswith("num_batches_tracked")]
    assert {int(value) for value in counts} == {12}


def test_the_average_validates(
    recorded: tuple[Path, dict[str, float], list[dict[str, Tensor]]],
) -> None:
    """What was logged in training is the score of the checkpoint, whose weights are the average."""
    folder, metrics, _ = recorded
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    assert metrics["val/iou"] == pytest.approx(
        max(each.value for each in events.Scalars("val/iou")), abs=1e-6
    )


def test_it_does_nothing_before_training_and_counts_steps_not_batches(
    config: TrainConfig, tmp_path: Path
) -> None:
    """With what only a Trainer of one's own has: validation alone, sanity steps, accumulated gradients."""
    quiet_lightning()
    data = _read_data(config, fold=False)
    module = _build_module(config, _build_network(config)[0], data)
    kept = AveragedWeights(DECAY, 0.0)
    trainer = Trainer(
        accelerator="cpu", max_epochs=1, num_sanity_val_steps=1, accumulate_grad_batches=2, callbacks=[kept],
        logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        log_every_n_steps=1, default_root_dir=tmp_path, inference_mode=False,  # which torchmetrics needs
    )  # fmt: skip
    trainer.validate(module, datamodule=data, verbose=False)
    trainer.fit(module, data)
    assert kept.state_dict()["steps"] == trainer.global_step == 2
    unit, label, _ = next(iter(data.val_dataloader()))
    probability = module.predict_whole(unit)
    assert probability.shape == label.shape
    assert 0 <= probability.min() < probability.max() <= 1


def test_a_resumed_average_goes_on_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand, with gradients that accumulate: the first batch after the checkpoint is no step."""
    network = [torch.tensor([1.0])]
    monkeypatch.setattr(averaging, "_values", lambda module: network)
    trainer: Any = SimpleNamespace(global_step=0)
    module: Any = None
    interrupted, resumed = AveragedWeights(DECAY, 0.0), AveragedWeights(DECAY, 0.0)
    interrupted.on_train_start(trainer, module)
    network[0].fill_(2.0)
    trainer.global_step = 1
    interrupted.on_train_batch_end(trainer, module, None, None, 0)
    interrupted.on_validation_start(trainer, module)
    assert network[0] == pytest.approx(1.9)  # a decay of 0.1
    resumed.load_state_dict(interrupted.state_dict())
    resumed.on_train_start(trainer, module)
    resumed.on_train_batch_start(trainer, module, None, 1)
    assert network[0] == 2.0
    resumed.on_train_batch_end(trainer, module, None, None, 1)
    network[0].fill_(3.0)
    trainer.global_step = 2
    resumed.on_train_batch_end(trainer, module, None, None, 2)
    resumed.on_validation_start(trainer, module)
    assert network[0] == pytest.approx(1.9 * 2 / 11 + 3.0 * 9 / 11)


class PowerCutError(Exception):
    """Ends a run without any farewell."""


def stop_at_epoch_2(self: object, trainer: Trainer, module: object) -> None:
    if trainer.current_epoch == 2:
        raise PowerCutError


def test_a_run_goes_on_with_the_decay_it_had(
    recorded: tuple[Path, dict[str, float], list[dict[str, Tensor]]], config: TrainConfig, tmp_path: Path
) -> None:
    without = replace(config.callbacks, ema_decay=None)
    with pytest.raises(GrainsegError, match=r"ema_decay=0\.9, this run callbacks\.ema_decay=null; say the"):
        train(replace(config, resume=str(recorded[0] / LAST), callbacks=without), tmp_path)


@pytest.mark.slow
def test_a_resumed_run_has_the_average_of_one_that_never_stopped(
    recorded: tuple[Path, dict[str, float], list[dict[str, Tensor]]], config: TrainConfig, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grainseg.training.callbacks.SaveOnInterrupt.on_train_epoch_start", stop_at_epoch_2)
        with pytest.raises(PowerCutError):
            train(config, tmp_path)
    train(replace(config, resume=str(tmp_path / LAST)), tmp_path)
    whole, halves = (torch.load(folder / LAST, weights_only=True) for folder in (recorded[0], tmp_path))
    assert halves["callbacks"]["KeptWeights"]["steps"] == 12
    for key, value in whole["state_dict"].items():
        torch.testing.assert_close(halves["state_dict"][key], value, rtol=1e-3, atol=1e-4)
    kept = [each["callbacks"]["KeptWeights"]["weights"] for each in (halves, whole)]
    assert set(kept[0]) == set(kept[1]) == {"average", "own"}
    for name in kept[0]:
        for ours, theirs in zip(kept[0][name], kept[1][name], strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_a_share_of_the_start_is_kept(config: TrainConfig, tmp_path: Path, shipped: Path) -> None:
    """Of generic weights; the weights to go on with stand beside those that are kept."""
    model = replace(config.model, init="generic", generic_share=0.3)
    callbacks = replace(config.callbacks, ema_decay=None)
    metrics = train(replace(config, model=model, callbacks=callbacks, epochs=2), tmp_path)
    _, generic = read_checkpoint(shipped)
    _, kept = read_checkpoint(tmp_path / LAST)
    state = torch.load(tmp_path / LAST, weights_only=True)["callbacks"]["KeptWeights"]
    names = [name for name, value in kept.items() if value.is_floating_point()]
    moved = 0.0
    for name, own in zip(names, state["weights"]["own"], strict=True):
        torch.testing.assert_close(kept[name], 0.3 * generic[name] + 0.7 * own, rtol=1e-4, atol=1e-6)
        moved = max(moved, float((own - generic[name]).abs().max()))
    assert moved > 1e-2
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    logged = max(each.value for each in events.Scalars("val/iou"))
    assert metrics["val/iou"] == pytest.approx(logged, abs=1e-6)
    with pytest.raises(GrainsegError, match=r"has model\.generic_share=0\.3, this run model"):
        train(
            replace(
                config,
                model=replace(model, generic_share=0.0),
                callbacks=callbacks,
                resume=str(tmp_path / LAST),
            ),
            tmp_path / "again",
        )


@pytest.mark.slow
def test_a_resumed_run_keeps_the_same_share(config: TrainConfig, tmp_path: Path, shipped: Path) -> None:
    model = replace(config.model, init="generic", generic_share=0.3)
    whole = replace(config, model=model, callbacks=replace(config.callbacks, ema_decay=None))
    train(whole, tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grainseg.training.callbacks.SaveOnInterrupt.on_train_epoch_start", stop_at_epoch_2)
        with pytest.raises(PowerCutError):
            train(whole, tmp_path / "part")
    train(replace(whole, resume=str(tmp_path / "part" / LAST)), tmp_path / "part")
    _, ours = read_checkpoint(tmp_path / "part" / LAST)
    for key, value in read_checkpoint(tmp_path / "whole" / LAST)[1].items():
        torch.testing.assert_close(ours[key], value, rtol=1e-3, atol=1e-4)
