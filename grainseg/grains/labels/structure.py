"""How twins, second phase and pores were drawn: declared by a person, never inferred from a picture."""

from dataclasses import dataclass

from grainseg.errors import GrainsegError

_TWINS = {
    "unknown": "Whether twin boundaries were drawn was not declared; ASTM E112 leaves them out of the count.",
    "not_drawn": "Twin boundaries were not drawn: a twin belongs to the grain around it, as in ASTM E112.",
    "drawn": "Twin boundaries were drawn: each twin counts as a grain, which ASTM E112 does not.",
}
_PARTS = {
    "unknown": "Whether there is {name} and how it was drawn was not declared.",
    "none": "There is no {bare}.",
    "as_grains": "{Name} counts as grains: its outlines are boundaries, its area belongs to the field.",
    "excluded": "{Name} is excluded: its area is neither field nor test line, and a grain ends at it.",
}

TWIN_CHOICES: tuple[str, ...] = tuple(_TWINS)
PART_CHOICES: tuple[str, ...] = tuple(_PARTS)


@dataclass(frozen=True)
class Structure:
    """How twins, second phase and pores were drawn.

    Attributes:
        twins: One of TWIN_CHOICES.
        second_phase: One of PART_CHOICES.
        pores: One of PART_CHOICES.

    Raises:
        GrainsegError: A value is not one of the choices.
    """

    twins: str = "unknown"
    second_phase: str = "unknown"
    pores: str = "unknown"

    def __post_init__(self) -> None:
        for key, choices in (
            ("twins", TWIN_CHOICES),
            ("second_phase", PART_CHOICES),
            ("pores", PART_CHOICES),
        ):
            if getattr(self, key) not in choices:
                raise GrainsegError(f"{key}={getattr(self, key)}: must be one of {', '.join(choices)}")

    @property
    def sentences(self) -> tuple[str, str, str]:
        """One plain sentence each for twins, second phase and pores."""
        return (
            _TWINS[self.twins],
            _PARTS[self.second_phase].format(
                name="a second phase", bare="second phase", Name="The second phase"
            ),
            # The sentence uses the mass noun: "Porosity is excluded: its area …".
            _PARTS[self.pores].format(name="porosity", bare="porosity", Name="Porosity"),
        )

    @property
    def flags(self) -> tuple[str, ...]:
        """Effects of the declared policy on the grain size, one per deviation from ASTM E112."""
        found = []
        if self.twins == "drawn":
            found.append(
                "twin boundaries count as grain boundaries: the grains come out finer than by ASTM E112, "
                "which leaves twin boundaries out"
            )
        for name, policy in (("second phase", self.second_phase), ("pores", self.pores)):
            if policy == "as_grains":
                found.append(
                    f"{name} counted as grains: the figures are not those of the matrix grains alone"
                )
        return tuple(found)
