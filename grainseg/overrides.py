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
_NAMES = _override("name", value=r"[\w.+-]+(?:,[\w.+-]+)*")
_IMAGES = _override("data.val", "data.test")
_LIST = re.compile(r"\[([^\[\]]*)\]")
_ITEM = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,]+""")


def as_typed(argument: str) -> str:
    """Quote what stands for a file, a folder or a name.

    Args:
        argument: One command-line argument: the override of a path is taken to its end, ``a=b (1) ü,#.png``
            included; of the lists in ``data.val`` and ``data.test``, and of several names for a sweep, each
            item is. Any other comes back unchanged, and so do ``null`` and what is in quotes already.
    """
    if match := _PATH.fullmatch(argument):
        value = match[2].replace("${", r"\${")  # no interpolation in a file name
        return argument if value in ("", "null") else f"{match[1]}={_quoted(value)}"
    if match := _FOLDER.fullmatch(argument):  # Lightning quotes it for the further processes of a ddp run
        return f"{match[1]}={_item(match[2])}"
    if match := _NAMES.fullmatch(argument):
        return f"{match[1]}={','.join(map(_quoted, match[2].split(',')))}"
    if (match := _IMAGES.fullmatch(argument)) and match[2] != "null":
        said = _LIST.sub(_items_quoted, match[2])
        return f"{match[1]}={said if '[' in said or ',' in said else _item(said)}"
    return argument


def _quoted(value: str) -> str:
    value = re.sub(r"(\\*)'", r"\1\1\\'", value)  # backslashes count only before a quote
    value = re.sub(r"(\\+)$", r"\1\1", value)
    return f"'{value}'"


def _item(text: str) -> str:
    """An item that is in quotes as it is, any other in quotes."""
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text if quoted or not text else _quoted(text)


def _items_quoted(match: re.Match[str]) -> str:
    items = [item.strip() for item in _ITEM.findall(match[1])]
    return "[" + ",".join(_item(item) for item in items if item) + "]"
