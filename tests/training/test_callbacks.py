"""Ctrl-C: never lost, and nothing left behind."""

import io
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from grainseg.training.callbacks import SaveOnInterrupt

NOBODY = SimpleNamespace(global_step=3, save_checkpoint=lambda path: None)


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class InterruptedWhileFinalised(io.RawIOBase):
    """What Python asks of a file when it is finalised, and when what is raised is cleared."""

    @property
    def closed(self) -> bool:
        signal.raise_signal(signal.SIGINT)
        return True


@pytest.fixture
def listening(tmp_path: Path) -> SaveOnInterrupt:
    callback = SaveOnInterrupt(tmp_path / "last.ckpt")
    callback.on_fit_start(NOBODY, None)  # type: ignore[arg-type]
    return callback


def test_a_ctrl_c_that_python_loses_stops_the_next_batch(listening: SaveOnInterrupt) -> None:
    listening.on_train_batch_start(NOBODY, None, None, 0)  # type: ignore[arg-type]
    InterruptedWhileFinalised()  # gone at once; the KeyboardInterrupt is cleared in its finaliser
    with pytest.raises(KeyboardInterrupt):
        listening.on_train_batch_start(NOBODY, None, None, 1)  # type: ignore[arg-type]


def test_a_ctrl_c_lost_in_the_last_epoch_stops_the_run(listening: SaveOnInterrupt) -> None:
    InterruptedWhileFinalised()
    with pytest.raises(KeyboardInterrupt):
        listening.on_fit_end(NOBODY, None)  # type: ignore[arg-type]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ordinary_ctrl_c_stops_at_once_and_the_handler_goes(listening: SaveOnInterrupt) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        signal.raise_signal(signal.SIGINT)
    listening.on_exception(NOBODY, None, caught.value)  # type: ignore[arg-type]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_that_the_shell_turned_off_stays_off(tmp_path: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    SaveOnInterrupt(tmp_path / "last.ckpt").on_fit_start(NOBODY, None)  # type: ignore[arg-type]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
