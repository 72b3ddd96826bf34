"""Time of ``train.py --help`` and ``--cfg job``, as a multiple of a bare Hydra program's in the same run.

python benchmarks/startup.py
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 7
BARE = """
import hydra


@hydra.main(version_base="1.3", config_path=None)
def main(config):
    pass


main()
"""


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE, encoding="utf-8")
        for flags in (["--help"], ["--cfg", "job"]):
            reference, ours = [], []
            for _ in range(REPEATS):  # in turns, so that other load slows both
                reference.append(seconds([sys.executable, str(bare), *flags]))
                ours.append(seconds([sys.executable, "train.py", *flags]))
            ratio = statistics.median(ours) / statistics.median(reference)
            print(f"train.py {' '.join(flags)}: {statistics.median(ours):.2f} s, {ratio:.2f} × bare Hydra")


if __name__ == "__main__":
    main()
