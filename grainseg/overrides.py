"""Quote overrides so that Hydra reads them as typed, and refuse unusable ones with a one-line message.

Without quotes, Hydra would read the image ``2024_01`` as the number 202401, and reject blanks, ``=`` and many
other characters in a path.
"""

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from grainseg.errors import GrainsegError

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
"""Keys of paths in which interpolations such as ``outputs/${now:%Y}`` are allowed."""


_OPTION = re.compile(r"--([a-z][\w-]*)(?:=.*)?", re.DOTALL)
_OPTIONS_OF_HYDRA = (
    "help",
    "hydra-help",
    "version",
    "cfg",
    "resolve",
    "package",
    "run",
    "multirun",
    "shell-completion",
    "config-path",
    "config-name",
    "config-dir",
    "experimental-rerun",
    "info",
)
SWEEP_FLAGS = frozenset({"-m", "--multirun"})
_FLAGS = SWEEP_FLAGS | {"-r", "--run", "--resolve"}
"""Options of Hydra that take no value."""
_NO_NAME = re.compile(r"null|true|false|[\d.+-]+|\[[\d.,\s]*\]|", re.IGNORECASE)
"""Values that Hydra does not read as the name of a choice."""


def _override(*keys: str, value: str = ".*") -> re.Pattern[str]:
    return re.compile(rf"(\+{{0,2}}(?:{'|'.join(map(re.escape, keys))}))=({value})", re.DOTALL)


_PATH, _FOLDER = _override(*PATH_KEYS), _override(*_FOLDERS_OF_HYDRA)
_NAMES = _override("name", value=r"[\w.+-]+(?:,[\w.+-]+)*")
_IMAGES = _override("data.val", "data.test")
_IN_QUOTES = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_LISTED = rf"(?:\s*{_IN_QUOTES}\s*(?=[,\]])|(?!\s*{_IN_QUOTES}\s*[,\]])[^\[\],]*)"
"""An item of a list; it may hold brackets and commas only if it is in quotes as a whole."""
_LIST = re.compile(rf"\[({_LISTED}(?:,{_LISTED})*)\]")
_ITEM = re.compile(rf"\s*{_IN_QUOTES}|[^,]+")
_NAME_BYTES = 160
"""Limit for the name of a sweep job's folder without its number; most file systems allow 255 bytes."""
_IN_FOLDER = re.compile(rf"((?:^|,)(?:{'|'.join(map(re.escape, PATH_KEYS))})=)[^,]*/(?=[^,/])")
"""All but the last part of a path among the overrides of a job."""
_CHOICE = re.compile(r"choice\((.*)\)", re.DOTALL)
_UNQUOTED = re.compile(r"""^(['"])(.*)\1$""", re.DOTALL)


def quote_override(argument: str, sweep: bool = False) -> str:
    """Quote the value of an override that is a file, a folder or a name.

    Args:
        argument: One command-line argument. In the override of a path, everything after the first ``=`` is
            the path, such as ``a=b (1) ü,#.png``. In the lists of ``data.val`` and ``data.test``, and among
            several names for a sweep, each item is quoted. All other arguments are returned unchanged, and so
            are ``null`` and, except for the keys in ``PATH_KEYS``, what is already in quotes.
        sweep: Whether the argument belongs to a sweep. A value that does not exist as a path is then read as
            several paths, if it is ``choice(…)``, or a list with commas of which at least one path exists.
    """
    if match := _PATH.fullmatch(argument):
        if sweep and (several := _several_paths(match[2])):
            return f"{match[1]}={several}"
        return argument if match[2] in ("", "null") else f"{match[1]}={_quoted_path(match[2])}"
    if match := _FOLDER.fullmatch(argument):  # Lightning may have quoted it for a ddp process
        return f"{match[1]}={_item(match[2])}"
    if match := _NAMES.fullmatch(argument):
        return f"{match[1]}={','.join(map(_quoted, match[2].split(',')))}"
    if (match := _IMAGES.fullmatch(argument)) and match[2] != "null":
        said = _LIST.sub(_items_quoted, match[2])
        return f"{match[1]}={said if '[' in said or ',' in said else _item(said)}"
    return argument


def check_command_line(arguments: list[str], conf: Path) -> None:
    """Refuse command lines for which Hydra's own error message would not help.

    Args:
        arguments: The arguments as typed.
        conf: Folder of the configuration, whose subfolders are the groups.

    Raises:
        GrainsegError: An argument is an unknown option, lacks its ``=`` or its key, is an empty path (as from
            an unset shell variable; Python would use the current folder), gives a group no valid name, or
            sets the storage of a study, which the installed libraries do not support.
    """
    before = ""
    for argument, after in zip(arguments, [*arguments[1:], ""], strict=True):
        match = _OPTION.fullmatch(argument)
        if match and match[1] not in _OPTIONS_OF_HYDRA:
            raise GrainsegError(f"--{match[1]}: is no option; settings are said as {match[1]}=VALUE")
        if re.match(r"[+~]*=", argument):
            raise GrainsegError(f"{argument}: lacks its key; say KEY=VALUE")
        belongs_to_option = before.startswith("-") and "=" not in before and before not in _FLAGS
        if re.fullmatch(r"[\w.]+", argument) and not belongs_to_option:
            if _PATH.fullmatch(before) or _FOLDER.fullmatch(before):
                raise GrainsegError(f"{before} {argument}: quote what has blanks: '{before} {argument}'")
            value = "VALUE" if "=" in after or not after or after.startswith("-") else after
            raise GrainsegError(f"{argument}: settings are said with =; say {argument}={value}")
        key, _, value = argument.partition("=")
        if (_PATH.fullmatch(argument) or _FOLDER.fullmatch(argument)) and not value:
            raise GrainsegError(f"{key}=: is empty; give a path, or leave {key.lstrip('+')} out")
        _require_choice(key.lstrip("+"), value, argument, conf)
        if key == "hydra.sweeper.storage" and value != "null":
            _require_storage(argument)
        before = argument


def shortened(job: object) -> str:
    """Turn the overrides of a sweep's job into a folder name that is valid on every file system.

    Args:
        job: The overrides, separated by commas. Of a path, only the last part is kept, which says most. If
            the text is too long, its end is cut off; the number before the name still distinguishes the jobs.
    """
    text = re.sub("['\"]", "", _IN_FOLDER.sub(r"\1", str(job)))
    return text.replace("/", "_").encode()[:_NAME_BYTES].decode(errors="ignore")


def _require_storage(argument: str) -> None:
    """Raise a GrainsegError if the sweeper's Optuna, 2.10, would fail with an unexplained AssertionError."""
    try:
        newer = int(version("sqlalchemy").partition(".")[0]) >= 2
    except PackageNotFoundError:  # the extra is not installed: Hydra reports the missing sweeper
        return
    if newer:
        raise GrainsegError(
            f"{argument}: this Optuna keeps studies with older libraries; "
            'pip install "sqlalchemy<2" "alembic<1.20"'
        )


def _require_choice(key: str, value: str, argument: str, conf: Path) -> None:
    """Raise a GrainsegError if the value of a group cannot be a name, such as null."""
    if "=" in argument and _NO_NAME.fullmatch(value):
        choices = sorted(path.stem for path in (conf / key).glob("*.yaml")) if key.isalpha() else []
        if choices:
            raise GrainsegError(f"{argument}: choose one of {', '.join(choices)}")
        if re.fullmatch(r"hydra(/\w+)?", key):
            raise GrainsegError(f"{argument}: must be the name of a choice; leave it out for the usual one")


def _several_paths(value: str) -> str | None:
    """Return the paths to sweep over, quoted for Hydra; None if the value is a single path."""
    if _exists(value):
        return None
    choice = _CHOICE.fullmatch(value)
    items = [_UNQUOTED.sub(r"\2", item.strip()) for item in _ITEM.findall(choice[1] if choice else value)]
    if not choice and (len(items) == 1 or not any(map(_exists, items))):
        return None
    return ",".join(map(_quoted_path, items))  # not as choice(…), in which Hydra drops the quotes


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # several paths together may be too long for a name
        return False


def _quoted_path(path: str) -> str:
    return _quoted(path.replace("${", r"\${"))  # a file name has no interpolation


def _quoted(value: str) -> str:
    value = re.sub(r"(\\*)'", r"\1\1\\'", value)  # only before a quote is a backslash an escape
    value = re.sub(r"(\\+)$", r"\1\1", value)
    return f"'{value}'"


def _item(text: str) -> str:
    """Quote an item unless it is already in quotes."""
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text if quoted or not text else _quoted(text)


def _items_quoted(match: re.Match[str]) -> str:
    items = [item.strip() for item in _ITEM.findall(match[1])]
    return "[" + ",".join(_item(item) for item in items if item) + "]"
