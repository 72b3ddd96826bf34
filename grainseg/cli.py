"""The ``grainseg`` command: everything beside training and prediction, which are train.py and predict.py."""

import logging
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from grainseg.config import (
    BaselineConfig,
    LabelledFolderConfig,
    MeasureConfig,
    RobustnessConfig,
    StructureConfig,
    SuggestConfig,
)
from grainseg.config.baseline import BOTH, METHODS
from grainseg.config.command_line import OptionFormatter, as_options, crop_of, pixel_size_of, text_of
from grainseg.console import prepare_console, say
from grainseg.errors import GrainsegError, require_all_done
from grainseg.grains.structure import PART_CHOICES, TWIN_CHOICES
from grainseg.options import (
    DATA_ROOT,
    BoundaryValue,
    Cut,
    IgnoreValue,
    LabelKind,
    LabelWidth,
    LabelZero,
    MaxMegapixels,
    Output,
    PixelSizeUm,
    Tolerance,
    typed,
)

app = typer.Typer(
    help="Everything beside training and prediction, which are train.py and predict.py.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _root() -> None:
    """Keep the subcommands' names, however many there are."""


@app.command()
def measure(
    masks: Annotated[str, typer.Argument(help="A mask or grain map, a folder of them, or a glob in quotes.")],
    output: Output,
    kind: Annotated[
        str, typer.Option(help="boundary: masks of boundary lines; grains: label maps, such as *_grains.tif.")
    ] = "boundary",
    boundary_value: Annotated[int, typer.Option(help="Of boundary masks: the value of the lines.")] = 255,
    zero: Annotated[
        str | None,
        typer.Option(help="What 0 is in grain maps: boundary (lines), excluded (pores), ignored (outside)."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the micrographs: pictures and pixel sizes of the report.")
    ] = None,
    pixel_size_um: PixelSizeUm = None,
    pixel_size_rel_unc: Annotated[
        float | None, typer.Option(help="Its relative standard uncertainty, 0.01 for 1 %.")
    ] = None,
    segmentation_rel_unc: Annotated[
        float | None, typer.Option(help="Relative standard uncertainty by the boundaries, 0.03 for 3 %.")
    ] = None,
    segmentation_images: Annotated[
        int | None, typer.Option(help="Of how many labelled pictures that is; default: exactly known.")
    ] = None,
    crop: Cut = "auto",
    batches: Annotated[
        Path | None,
        typer.Option(
            help="CSV with the columns image, batch, perhaps specimen; default: a batch per folder."
        ),
    ] = None,
    excluded: Annotated[
        Path | None,
        typer.Option(help="Folder of masks; where one is not 0 there are pores or second phase: grains end."),
    ] = None,
    ignored: Annotated[
        Path | None,
        typer.Option(help="Folder of masks; where one is not 0 nobody can tell: lines and grains are cut."),
    ] = None,
    twins: Annotated[str, typer.Option(help=f"Twin boundaries: {', '.join(TWIN_CHOICES)}.")] = "unknown",
    second_phase: Annotated[str, typer.Option(help=f"Second phase: {', '.join(PART_CHOICES)}.")] = "unknown",
    pores: Annotated[str, typer.Option(help=f"Pores: {', '.join(PART_CHOICES)}.")] = "unknown",
    max_megapixels: MaxMegapixels = 500.0,
) -> None:
    """Measure masks or grain maps from elsewhere, a corrected *_grains.tif among them."""
    config = MeasureConfig(
        output=str(output),
        pixel_size_um=pixel_size_of(pixel_size_um),
        pixel_size_rel_unc=pixel_size_rel_unc,
        segmentation_rel_unc=segmentation_rel_unc,
        segmentation_images=segmentation_images,
        crop=crop_of(crop),
        batches=text_of(batches),
        excluded=text_of(excluded),
        ignored=text_of(ignored),
        structure=StructureConfig(twins, second_phase, pores),
        masks=masks,
        kind=kind,
        boundary_value=boundary_value,
        zero=zero,
        images=text_of(images),
        max_megapixels=max_megapixels,
    )
    from grainseg.pipeline.measure import measure as run  # heavy, and the options are right

    measured = run(config, shlex.join(["grainseg", *sys.argv[1:]]), typed(measure))
    say(measured.summary())
    require_all_done(measured.failures, "files", others_done=measured.results is not None)


@app.command()
def compare(
    folders: Annotated[
        list[Path],
        typer.Argument(help="Folders that predict.py or measure wrote: their batches are compared."),
    ],
    output: Annotated[Path | None, typer.Option(help="Folder for comparisons.csv; default: none.")] = None,
    margin_g: Annotated[
        float, typer.Option(help="Batches that differ by less than this in G are equivalent; 0.01 to 5.")
    ] = 0.25,
) -> None:
    """Say of each pair of batches whether they differ, are equivalent, or need more fields."""
    from grainseg.pipeline.compare import compare as run

    say(run(folders, output, margin_g))


@app.command()
def baseline(
    root: Annotated[
        Path, typer.Argument(metavar=DATA_ROOT, help="Folder with images/ and masks/, as for training.")
    ],
    output: Output,
    method: Annotated[
        str, typer.Option(help=f"{', '.join(METHODS)}, or {BOTH}: ridge filter and watershed; random forest.")
    ] = BOTH,
    val: Annotated[
        list[str] | None, typer.Option(help="Image that validates; repeat for more; default: the last one.")
    ] = None,
    test: Annotated[
        list[str] | None, typer.Option(help="Image that neither trains nor validates; repeat for more.")
    ] = None,
    fold: Annotated[int | None, typer.Option(help="Which of --folds validates, from 0.")] = None,
    folds: Annotated[int | None, typer.Option(help="Number of folds.")] = None,
    images: Annotated[
        str | None, typer.Option(help="Further pictures to predict: a file, a folder, or a glob in quotes.")
    ] = None,
    label_kind: LabelKind = "boundary",
    boundary_value: BoundaryValue = 255,
    ignore_value: IgnoreValue = None,
    label_width_px: LabelWidth = None,
    zero: LabelZero = None,
    pixel_size_um: PixelSizeUm = None,
    crop: Cut = "auto",
    seed: Annotated[int, typer.Option(help="Of the random forest.")] = 0,
    boundary_tolerance_px: Tolerance = 3.0,
    max_megapixels: MaxMegapixels = 500.0,
) -> None:
    """Tune what does without deep learning on labelled images, to see whether a network earns its place."""
    cut = crop_of(crop)
    config = BaselineConfig(
        output=str(output),
        pixel_size_um=pixel_size_of(pixel_size_um),
        pixel_size_rel_unc=None,
        segmentation_rel_unc=None,
        segmentation_images=None,
        crop=cut,
        batches=None,
        excluded=None,
        ignored=None,
        structure=StructureConfig("unknown", "unknown", "unknown"),
        data=LabelledFolderConfig(
            label_kind=label_kind,
            boundary_value=boundary_value,
            ignore_value=ignore_value,
            label_width_px=label_width_px,
            zero=zero,
            max_megapixels=max_megapixels,
            root=str(root),
            val=val or None,
            test=test or None,
            fold=fold,
            folds=folds,
            crop=cut,
        ),
        method=method,
        images=images,
        seed=seed,
        boundary_tolerance_px=boundary_tolerance_px,
    )
    from grainseg.pipeline.baseline import baseline as run  # heavy, and the options are right

    tuned = run(config, shlex.join(["grainseg", *sys.argv[1:]]), typed(baseline))
    say(tuned.summary())
    require_all_done(tuned.failures, "pictures", others_done=bool(tuned.reports))


@app.command()
def robustness(
    checkpoint: Annotated[Path, typer.Option(help="best.ckpt of a training run, or a weights file.")],
    data: Annotated[
        Path, typer.Option(metavar=DATA_ROOT, help="Folder with images/ and masks/, as for training.")
    ],
    output: Annotated[Path, typer.Option(help="Folder of the card.")],
    references: Annotated[
        bool, typer.Option("--references", help="With the classical references beside the network.")
    ] = False,
    test: Annotated[
        list[str] | None,
        typer.Option(
            help="Image of the card; repeat for more; default: those that tested the network, else those "
            "that validated it, else all."
        ),
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(help="Folder of TensorBoard's files; default: tensorboard in OUTPUT.")
    ] = None,
    label_kind: LabelKind = "boundary",
    boundary_value: BoundaryValue = 255,
    ignore_value: IgnoreValue = None,
    label_width_px: LabelWidth = None,
    zero: LabelZero = None,
    crop: Cut = "auto",
    seed: Annotated[int, typer.Option(help="Of the corruptions and the random forest.")] = 0,
    boundary_tolerance_px: Tolerance = 3.0,
    accelerator: Annotated[str, typer.Option(help="auto, cpu, gpu or mps.")] = "auto",
    max_megapixels: MaxMegapixels = 500.0,
) -> None:
    """Say what light, blur, noise and resolution would do to a network's scores and to the grain size."""
    config = RobustnessConfig(
        checkpoint=str(checkpoint),
        data=LabelledFolderConfig(
            label_kind=label_kind,
            boundary_value=boundary_value,
            ignore_value=ignore_value,
            label_width_px=label_width_px,
            zero=zero,
            max_megapixels=max_megapixels,
            root=str(data),
            val=None,
            test=test or None,
            fold=None,
            folds=None,
            crop=crop_of(crop),
        ),
        output=str(output),
        references=references,
        tensorboard=text_of(tensorboard),
        seed=seed,
        boundary_tolerance_px=boundary_tolerance_px,
        accelerator=accelerator,
    )
    from grainseg.pipeline.robustness import robustness as run  # heavy, and the options are right

    made = run(config, shlex.join(["grainseg", *sys.argv[1:]]))
    say(made.summary())
    require_all_done(made.failures, "pictures", others_done=True)  # or it would have raised


@app.command()
def suggest(
    images: Annotated[str, typer.Argument(help="A picture, a folder of them, or a glob in quotes.")],
    output: Annotated[Path, typer.Option(help="Folder of the suggestions.")],
    checkpoint: Annotated[
        Path | None, typer.Option(help="best.ckpt of a training run; default: the weights that ship.")
    ] = None,
    count: Annotated[int, typer.Option(help="Regions to suggest at most.")] = 10,
    window_px: Annotated[
        int | None, typer.Option(help="Side of a region; default: 256, or half a smaller picture's sides.")
    ] = None,
    crop: Cut = "auto",
    accelerator: Annotated[str, typer.Option(help="auto, cpu, gpu or mps.")] = "auto",
    max_megapixels: MaxMegapixels = 500.0,
) -> None:
    """Say which image without a label, and which part of it, is worth labelling next."""
    config = SuggestConfig(
        text_of(checkpoint), images, str(output), count, window_px, crop_of(crop), accelerator, max_megapixels
    )
    from grainseg.pipeline.suggest import suggest as run  # heavy, and the options are right

    found = run(config)
    say(found.summary())
    require_all_done(found.failures, "pictures", others_done=True)  # or it would have raised


@app.command()
def synth(
    sheet: Annotated[Path, typer.Option(help="The PNG file to write.")],
    rows: Annotated[int, typer.Option(help="Pictures one below the other.")] = 4,
    columns: Annotated[int, typer.Option(help="Pictures side by side, each beside itself with label.")] = 3,
    side: Annotated[int, typer.Option(help="Height and width of a picture in px.")] = 256,
    seed: Annotated[int, typer.Option(help="Of the first picture; the others have the next ones.")] = 0,
) -> None:
    """Show, on one sheet, what the synthetic pictures of pretraining look like."""
    from grainseg.pipeline.synth import synth as run

    say(run(sheet, rows, columns, side, seed))


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Argument(help="best.ckpt of a training run.")],
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The *.safetensors file to write.")],
) -> None:
    """Write a checkpoint's network in half precision into a file that can be shipped."""
    from grainseg.pipeline.export import export as run

    say(run(checkpoint, target))


def _typed(command: str) -> dict[str, str]:
    """What is typed for the keys of a command's configuration."""
    callbacks = [each.callback for each in app.registered_commands if each.callback is not None]
    return {key: word for each in callbacks if each.__name__ == command for key, word in typed(each).items()}


def main() -> int:
    """Run the command; returns the exit status."""
    prepare_console()
    handler = logging.StreamHandler(sys.stdout)
    names = _typed(sys.argv[1] if len(sys.argv) > 1 else "")
    handler.setFormatter(OptionFormatter("%(levelname)s: %(message)s", names))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # a damaged file is one line of ours
    try:
        app()
    except (GrainsegError, OSError, MemoryError) as error:
        kind = "" if isinstance(error, GrainsegError) else f"{type(error).__name__}: "
        say(f"error: {kind}{as_options(' '.join(str(error).split()), names)}", sys.stderr)
        return 1
    return 0  # app itself exits, with 2 where the command line is wrong


if __name__ == "__main__":
    sys.exit(main())
