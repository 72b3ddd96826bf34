"""Compare batches that were measured before, by their tables."""

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
        folders: Where predict.py or ``grainseg measure`` wrote.
        output: Folder for ``comparisons.csv``; None writes nothing.
        margin_g: Batches that differ by less are equivalent, in ASTM grain size numbers; 0.01 to 5.

    Returns:
        What was left out, a verdict per pair, and which errors the pairs have in common; one line each.

    Raises:
        GrainsegError: A folder holds no tables or is given twice, there are fewer than two batches, their
            units differ, two have a field in common, the margin is out of its range, or the output would
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
    """See before any work that the comparisons overwrite none of a run that measured, nor anything else.

    A run takes the comparisons in its folder for its own, and away where it has none.
    """
    if (output / BATCHES).exists():
        raise GrainsegError(
            f"--output={output}: holds a measurement, whose comparisons lie there; choose another folder"
        )
    require_table(output / COMPARISONS)


def _require_distinct(folders: Sequence[Path]) -> None:
    """Compared with itself, under whatever spelling, a batch would be equivalent."""
    spelled: dict[Path, Path] = {}
    for folder in folders:
        earlier = spelled.get(folder.resolve())
        if earlier is not None:
            also = "" if earlier == folder else f", also as {earlier}"
            raise GrainsegError(f"{folder}: is given twice{also}; name each folder once")
        spelled[folder.resolve()] = folder


def _named(batches: Sequence[tuple[Path, SavedBatch]]) -> dict[str, SavedBatch]:
    """Batches by name; where folders have batches of one name, the folder stands before it."""
    count = Counter(batch.name for _, batch in batches)
    named = {
        batch.name if count[batch.name] == 1 else f"{folder}:{batch.name}": batch for folder, batch in batches
    }
    if len(named) < len(batches):
        raise GrainsegError(
            f"{batches[-1][0]}: a batch is called as a folder with its batch; rename a folder"
        )
    return named
