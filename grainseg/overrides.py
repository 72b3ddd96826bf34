"""Settings as people type them, quoted so that Hydra's grammar takes them so.

It would read the image ``2024_01`` as the number 202401, and stop at blanks, ``=`` and much else in a path.
"""

import re

PATH_KEYS = (
    "data.root",
    "resume",
    "checkpoint",
    "images",
    "output",
    "masks",
    "batches",
    "excluded",
    "ignored",
    "robustness",
)
_FOLDERS_OF_HYDRA = ("hydra.run.dir", "hydra.sweep.dir")
"""Paths, too, but one may have them put together: ``outputs/${now:%Y}``."""


def _override(*keys: str, value: str = ".*") -> re.Pattern[str]:
    return re.compile(rf"(\+{{0,2}}(?:{'|'.join(map(re.escape, keys))}))=({value})", re.DOTALL)


_PATH, _FOLDER = _override(*PATH_KEYS), _override(*_FOLDERS_OF_HYDRA)
_WORD = _override("name", value=r"[\w.+-]+")
_IMAGES = _override("data.val", "data.test")
_LIST = re.compile(r"\[([^\[\]{}'\"$\\]+)\]")


def as_typed(argument: str) -> str:
    """Quote what stands for a file, a folder or a name.

    Args:
        argument: One command-line argument: the override of a path is taken to its end, ``a=b (1) ü,#.png``
            included; of the lists in ``data.val`` and ``data.test`` each item is. Any other comes back
            unchanged, and so does ``null``.
    """
    if match := _PATH.fullmatch(argument):
        value = match[2].replace("${", r"\${")  # no interpolation in a file name
        return argument if value in ("", "null") else f"{match[1]}={_quoted(value)}"
    if match := _FOLDER.fullmatch(argument):
        return f"{match[1]}={_quoted(match[2])}"
    if match := _WORD.fullmatch(argument):
        return f"{match[1]}={_quoted(match[2])}"
    if match := _IMAGES.fullmatch(argument):
        return f"{match[1]}={_LIST.sub(_items_quoted, match[2])}"
    return argument


def _quoted(value: str) -> str:
    value = re.sub(r"(\\*)'", r"\1\1\\'", value)  # backslashes count only before a quote
    value = re.sub(r"(\\+)$", r"\1\1", value)
    return f"'{value}'"


def _items_quoted(match: re.Match[str]) -> str:
    return "[" + ",".join(_quoted(item.strip()) for item in match[1].split(",")) + "]"
