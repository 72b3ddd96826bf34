"""The robustness card: score a network, and optionally the classical references, on corrupted pictures."""

import logging
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from grainseg.config import RobustnessConfig
from grainseg.data.images import LabelledMicrograph, read_labelled, warnings_of
from grainseg.errors import GrainsegError
from grainseg.grains.trust.robustness import Card, ImageScores, Seen, make_card
from grainseg.inference.adaptation import require_adaptable
from grainseg.inference.predictor import named_if_diverged
from grainseg.micrograph.corruptions import CORRUPTIONS, KINDS, Corruption
from grainseg.micrograph.files import file_sha256
from grainseg.micrograph.folders.folder import LabelledImage, list_folder, split_with_test
from grainseg.micrograph.formats.replacing import replacing
from grainseg.micrograph.names import plain_name
from grainseg.model.ensemble import load_networks
from grainseg.pipeline.card.corruption_reach import kinds_seen
from grainseg.pipeline.card.robustness_board import write_board
from grainseg.pipeline.card.robustness_methods import (
    Method,
    Truth,
    network_method,
    reference_methods,
    score_picture,
)
from grainseg.pipeline.pictures.failures import SKIPPED, log_failure, log_left_out
from grainseg.pipeline.pictures.picture import make_output
from grainseg.pipeline.pictures.progress import progress
from grainseg.pipeline.results.batch_results import title_of
from grainseg.pipeline.results.earlier_run import CARD_PAGE, require_replaceable_card
from grainseg.pipeline.results.provenance import adaptation, provenance_of
from grainseg.pipeline.runs.training_record import TESTED, TRAINED, VALIDATED, image_roles, read_record
from grainseg.report.card.robustness_page import RobustnessReport, Sample, make_sample, write_robustness
from grainseg.report.card.robustness_plots import card_plots
from grainseg.report.card.robustness_sentences import remarks, verdicts
from grainseg.report.card.robustness_tables import write_cells, write_images
from grainseg.report.files.robustness_note import PLOT, RobustnessNote, write_note
from grainseg.report.files.tables import CARD, CARD_IMAGES

log = logging.getLogger(__name__)

BOARD = "tensorboard"
UNTOUCHED = Seen("no", "tuned on untouched pictures")


@dataclass(frozen=True)
class RobustnessRun:
    """Results of a robustness run.

    Attributes:
        cards: One per method, the network's first.
        roles: Role of each picture in the training of the network.
        choice: Which pictures were used, and why, in a sentence.
        page: Path of the page.
        board: Folder of TensorBoard's event files.
        failures: One line for each picture of the card that could not be read.
    """

    cards: tuple[Card, ...]
    roles: dict[str, str]
    choice: str
    page: Path
    board: Path
    failures: tuple[str, ...]

    def summary(self) -> str:
        """Return the closing lines: which targets were met, and the paths of the results."""
        lines = [self.choice]
        for card in self.cards:
            lines.append(f"{card.method}: IoU of the untouched pictures {card.clean.iou.mean:.4f}")
            lines += [
                f"  {'met   ' if verdict.met else 'MISSED'} {verdict.sentence}" for verdict in verdicts(card)
            ]
            lines += [f"  {remark}" for remark in remarks(card)]
        lines += [f"page:         {self.page}", f"TensorBoard:  tensorboard --logdir {self.board}"]
        return "\n".join(lines)


def robustness(config: RobustnessConfig, command: str = "") -> RobustnessRun:
    """Predict labelled pictures under every corruption of the card, and write how the scores change.

    A picture of the card that cannot be read is skipped and reported. A picture for tuning the references is
    not skipped, since without it they would be different references.

    Args:
        config: The card.
        command: The command as typed, for the page.

    Raises:
        GrainsegError: The checkpoint cannot be used, none of the images can be used, too few images are left
            to tune the references, or the card would overwrite files that grainseg did not write.
    """
    checkpoint, output = Path(config.checkpoint), Path(config.output)
    require_replaceable_card(output)
    spec, networks = load_networks(checkpoint)
    if config.adapt is not None:
        spec = replace(spec, adapt=config.adapt)
        require_adaptable(networks[0], config.adapt, "adapt")  # all are built alike
    digest = file_sha256(checkpoint)
    record = read_record(checkpoint, spec)
    listing = list_folder(Path(config.data.root))
    log_left_out(listing.without_mask, listing.without_image)
    items = listing.by_stem
    roles = image_roles(record, listing.labelled)
    stems, why = _choose(config, roles)
    images, failures = _read(config, [items[stem] for stem in stems], spec.in_channels)
    shown = {image.stem: roles[image.stem] for image in images}
    choice = _choice(why, shown, [stem for stem in stems if stem not in shown], spec.adapt)
    make_output(config.output)
    methods = [network_method(spec, networks, config.accelerator)]
    if config.references:
        train, val = _tuning_images(config, items, roles, stems)
        methods += reference_methods(train, val, config.seed)
    scores, samples = _scores(config, images, methods)
    cards = _cards(methods, scores, kinds_seen(record))
    svg, png = card_plots(cards)
    write_cells(output / CARD, cards)
    write_images(output / CARD_IMAGES, cards, shown)
    write_note(output, _note(digest, choice, cards[0], spec.adapt))
    with replacing(output / PLOT) as handle:  # after the note: a plot without one looks foreign
        handle.write(png)
    report = RobustnessReport(
        title=f"Robustness of {checkpoint.name} on {title_of(config.data.root)}",
        created=datetime.now().astimezone(),
        provenance=provenance_of(
            "boundaries predicted under corruptions",
            config,
            command,
            ["torch", "scikit-learn"] if config.references else ["torch"],
            checkpoint=checkpoint,
            checkpoint_sha256=digest,
            settings=adaptation(spec.adapt, config.adapt),
        ),
        choice=choice,
        roles=shown,
        record=record.source,
        cards=cards,
        samples=samples,
        svg=svg,
        seed=config.seed,
    )
    write_robustness(output / CARD_PAGE, report)
    board = output / BOARD if config.tensorboard is None else Path(config.tensorboard)
    write_board(board, cards, png)
    return RobustnessRun(cards, shown, choice, output / CARD_PAGE, board, failures)


def _cards(
    methods: Sequence[Method],
    scores: Mapping[tuple[str, Corruption | None], Sequence[ImageScores]],
    seen_by_network: Mapping[str, Seen],
) -> tuple[Card, ...]:
    """Return a card per method: the network's first, then those of the references."""
    seen_by_references = {kind.name: UNTOUCHED for kind in KINDS}
    seen = [seen_by_network, *(seen_by_references for _ in methods[1:])]
    return tuple(
        make_card(
            method.name,
            known,
            scores[method.name, None],
            {each: scores[method.name, each] for each in CORRUPTIONS},
        )
        for method, known in zip(methods, seen, strict=True)
    )


def _note(digest: str, choice: str, card: Card, adapt: float) -> RobustnessNote:
    """Return what reports of predictions say about the robustness of the network."""
    sentences = (*(verdict.sentence for verdict in verdicts(card)), *remarks(card))
    return RobustnessNote(digest, choice, sentences, adapt)


def _choose(config: RobustnessConfig, roles: Mapping[str, str]) -> tuple[list[str], str]:
    """Choose the images: the named ones, or else the run's test images, its validation images, or all.

    Returns:
        Their names, and the reason for the choice.
    """
    known = sorted(roles)
    if config.data.test is not None:
        named = [plain_name(stem) for stem in config.data.test]
        unknown = [stem for stem in named if stem not in roles]
        if unknown:
            raise GrainsegError(f"test={unknown[0]}: is no labelled image; there are {', '.join(known)}")
        return list(dict.fromkeys(named)), "the images that were named"
    for role, why in (
        (TESTED, "the test images of the training run"),
        (VALIDATED, "the validation images of the training run, which has no test images"),
    ):
        stems = [stem for stem in known if roles[stem] == role]
        if stems:
            return stems, why
    return known, "all labelled images"


def _choice(why: str, shown: Mapping[str, str], lost: Sequence[str], adapt: float) -> str:
    """Return a sentence on the images of the card and their roles, and on the network's adaptation."""
    told = "; ".join(f"{count}: {role}" for role, count in Counter(shown.values()).items())
    without = f", without {', '.join(lost)}, which cannot be read" if lost else ""
    adapts = f" The network adapts to each picture by {adapt:g}." if adapt else ""
    return f"Images: {why} ({told}){without}.{adapts}"


def _read(
    config: RobustnessConfig, items: Sequence[LabelledImage], channels: int
) -> tuple[list[LabelledMicrograph], tuple[str, ...]]:
    """Return the images of the card that can be read, and a line for each of the others."""
    images: list[LabelledMicrograph] = []
    failures = []
    for item in items:
        try:
            images.append(read_labelled(item, config.data, channels))
        except SKIPPED as error:
            failures.append(log_failure(item.image, error))
    if not images:
        raise GrainsegError(
            f"data.root={config.data.root}: none of the images of the card can be read, see above"
        )
    for warning in warnings_of(images):
        log.warning("%s", warning)
    return images, tuple(failures)


def _tuning_images(
    config: RobustnessConfig,
    items: Mapping[str, LabelledImage],
    roles: Mapping[str, str],
    stems: Sequence[str],
) -> tuple[list[LabelledMicrograph], list[LabelledMicrograph]]:
    """Return the images for tuning and for the partition: the network's own training and validation images.

    If the network has no validation image, or no training image that is not on the card, the images that are
    not on the card are split instead.
    """
    train = [stem for stem in items if roles[stem] == TRAINED and stem not in stems]
    val = [stem for stem in items if roles[stem] == VALIDATED]
    if not (train and val):
        try:
            train, val, _ = split_with_test(list(items), None, stems, None, None)
        except GrainsegError as error:
            raise GrainsegError(
                f"--references: {len(items) - len(stems)} of the images are left to tune on, 2 are needed; "
                "name fewer for the card with --test"
            ) from error
    log.info("references: tuned on %s, partition by %s", ", ".join(train), ", ".join(val))
    read = {stem: read_labelled(items[stem], config.data, 1) for stem in (*train, *val)}
    return [read[stem] for stem in train], [read[stem] for stem in val]


def _scores(
    config: RobustnessConfig, images: Sequence[LabelledMicrograph], methods: Sequence[Method]
) -> tuple[dict[tuple[str, Corruption | None], list[ImageScores]], list[Sample]]:
    """Return the scores by method and corruption (None: untouched), and samples of the first image."""
    scores: dict[tuple[str, Corruption | None], list[ImageScores]] = {}
    samples: list[Sample] = []
    truths = {image.stem: Truth(image) for image in images}
    jobs = [(image, corruption) for image in images for corruption in (None, *CORRUPTIONS)]
    for image, corruption in progress(jobs, "predicting corrupted pictures"):
        picture = image.unit
        if corruption is not None:
            picture = corruption.apply(image.unit, _seed(config.seed, image.stem))
        if image is images[0]:
            samples.append(make_sample(corruption, picture, image.shape))
        for method in methods:
            truth, corrupted = truths[image.stem], corruption is not None
            with named_if_diverged(image.stem, config.checkpoint):
                found = score_picture(method, picture, truth, corrupted, config.boundary_tolerance_px)
            scores.setdefault((method.name, corruption), []).append(found)
    return scores, samples


def _seed(seed: int, stem: str) -> int:
    """Return the seed of a picture, which does not depend on the other pictures of the card."""
    return zlib.crc32(f"{seed}/{stem}".encode("utf-8", "surrogateescape"))
