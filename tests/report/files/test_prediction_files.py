"""Names of a picture's files."""

from pathlib import Path

from grainseg.report.files.prediction_files import prediction_paths, stem_paths


def test_points_in_names_are_no_suffix_but_the_last() -> None:
    """Two magnifications of one field do not write over each other, predicted or validated."""
    assert prediction_paths(Path("out"), Path("a/m10.5.png")).mask == Path("out/a/m10.5_mask.png")
    assert stem_paths(Path("out/a"), "m10.5") == prediction_paths(Path("out"), Path("a/m10.5.tif"))
    assert stem_paths(Path("out"), "m10.5") != stem_paths(Path("out"), "m10.6")
