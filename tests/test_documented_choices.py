"""What can be chosen stands in the documents."""

import re

from helpers import ROOT

from grainseg.hydra_app import CONF
from grainseg.micrograph.corruptions import KINDS

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_names_every_choice_of_every_group() -> None:
    table = "\n".join(line for line in README.splitlines() if re.match(r"\| `", line))
    choices = {path.stem for path in CONF.glob("*/*.yaml")}
    assert len(choices) > 25
    assert {name for name in choices if f"`{name}`" not in table} == set()


def test_the_card_s_page_counts_and_names_every_kind() -> None:
    page = (ROOT / "docs" / "robustness.md").read_text(encoding="utf-8")
    assert f"the {len(KINDS)} kinds" in page
    table = page.split("| kind | low, middle, high | range from |")[1].split("\n\n")[0].lower()
    assert [kind.title for kind in KINDS if kind.title.lower().split()[0] not in table] == []
