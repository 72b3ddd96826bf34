"""Compare batches that were measured before, using their tables."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.grains.batches.compare import MAX_MARGIN_G, MIN_MARGIN_G, compare_batches
from grainseg.grains.batches.copies import copies, distinct
from grainseg.grains.batches.doubted import cautioned
from grainseg.pipeline.results.earlier_run import require_table
from grainseg.report.files.batch_rows import comparison_row
from grainseg.report.files.saved_batches import SavedBatch, read_batches
from grainseg.report.files.tables import BATCHES, COMPARISONS, write_csv


def compare(folders: Sequence[Path], output: Path | None, margin_g: float) -> str:
    """Compare all pairs of batches in some folders.

    Args:
        folders: Output folders of predict.py or ``grainseg measure``.
        output: Folder for ``comparisons.csv``; None writes nothing.
        margin_g: Batches that differ by less are equivalent, in ASTM grain size numbers; 0.01 to 5.

    Returns:
        The fields that were left out, a verdict per pair, and the errors that the pairs share; one line each.

    Raises:
        GrainsegError: A folder holds no tables or is given twice, there are fewer than two batches, their
            units differ, two have a field in common, the margin is out of range, or the output would
            overwrite another table.
    """
    if not MIN_MARGIN_G <= margin_g <= MAX_MARGIN_G:
        raise GrainsegError(
            f"--margin-g={margin_g:g}: must be from {MIN_MARGIN_G:g} to {MAX_MARGIN_G:g} grain size numbers"
        )
    _require_distinct(folders)
    if output is not None:
        _require_place(output)
    batches = _named([(folder, batch) for folder in folders for batch in read_batches(folder)])
    units = {batch.unit for batch in batches.values()}
    if len(batches) < 2:
        raise GrainsegError(f"{folders[0]}: holds one batch, {next(iter(batches))}; give two or more")
    if len(units) > 1:
        without = ", ".join(name for name, batch in batches.items() if batch.unit == "px")
        raise GrainsegError(
            f"{without}: without a pixel size, which others have; say it to grainseg measure "
            "(--pixel-size-um) or predict.py (pixel_size_um) and run it again"
        )
    parted = {name: distinct(batch.samples) for name, batch in batches.items()}
    samples = {name: kept for name, (kept, _) in parted.items()}
    copy = next(copies(samples), None)
    if copy is not None:
        raise GrainsegError(copy.sentence)
    comparisons = cautioned(compare_batches(samples, units.pop(), margin_g), samples)
    if output is not None:
        write_csv(output / COMPARISONS, map(comparison_row, comparisons))
    left_out = [
        f"{name}: without a pixel size, so left out: {', '.join(batch.left_out)}."
        for name, batch in batches.items()
        if batch.left_out
    ]
    left_out += [
        f"{name}: copies of other fields, so left out: {', '.join(again)}."
        for name, (_, again) in parted.items()
        if again
    ]
    systematic = dict.fromkeys(comparison.systematic for comparison in comparisons)
    return "\n".join([*left_out, *(comparison.sentence for comparison in comparisons), *systematic])


def _require_place(output: Path) -> None:
    """Check, before any work, that no comparisons of a measurement and no other file are overwritten.

    A measuring run treats the comparisons in its folder as its own: it replaces or removes them.
    """
    if (output / BATCHES).exists():
        raise GrainsegError(
            f"--output={output}: holds a measurement, whose comparisons lie there; choose another folder"
        )
    require_table(output / COMPARISONS)


def _require_distinct(folders: Sequence[Path]) -> None:
    """Check that no folder is given twice, even in two spellings: a batch would be equivalent to itself."""
    spelled: dict[Path, Path] = {}
    for folder in folders:
        earlier = spelled.get(folder.resolve())
        if earlier is not None:
            also = "" if earlier == folder else f", also as {earlier}"
            raise GrainsegError(f"{folder}: is given twice{also}; name each folder once")
        spelled[folder.resolve()] = folder


def _named(batches: Sequence[tuple[Path, SavedBatch]]) -> dict[str, SavedBatch]:
    """Return the batches by name; a name that several batches share is prefixed with the folder."""
    count = Counter(batch.name for _, batch in batches)
    named = {
        batch.name if count[batch.name] == 1 else f"{folder}:{batch.name}": batch for folder, batch in batches
    }
    if len(named) < len(batches):
        raise GrainsegError(
            f"{batches[-1][0]}: a batch is called as a folder with its batch; rename a folder"
        )
    return named
