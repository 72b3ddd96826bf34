"""Settings of the step from the boundary map to closed grains."""

from dataclasses import dataclass

from grainseg.config.checks import check_fraction, check_one_of, require


@dataclass
class PartitionConfig:
    """How the boundary map becomes closed grains."""

    name: str
    threshold: float | None
    depth: float | None
    support: float | None
    min_size: float | None

    def __post_init__(self) -> None:
        check_one_of("partition.name", self.name, ("watershed", "none"))
        if self.threshold is not None:
            require(0 < self.threshold < 1, "partition.threshold", "must lie between 0 and 1", self.threshold)
        for name in ("depth", "support", "min_size"):
            if getattr(self, name) is not None:
                check_fraction(f"partition.{name}", getattr(self, name))

    def given(self) -> dict[str, float]:
        """The settings of the partition that are not null."""
        values = {name: getattr(self, name) for name in ("threshold", "depth", "support", "min_size")}
        return {name: value for name, value in values.items() if value is not None}
