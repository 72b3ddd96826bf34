"""Settings as people type them: quoted so that Hydra's grammar takes them so, or refused in one line.

It would read the image ``2024_01`` as the number 202401, and stop at blanks, ``=`` and much else in a path.
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
"""Paths, too, but one may have them put together: ``outputs/${now:%Y}``."""


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
"""What Hydra does not take for the name of a choice."""


def _override(*keys: str, value: str = ".*") -> re.Pattern[str]:
    return re.compile(rf"(\+{{0,2}}(?:{'|'.join(map(re.escape, keys))}))=({value})", re.DOTALL)


_PATH, _FOLDER = _override(*PATH_KEYS), _override(*_FOLDERS_OF_HYDRA)
_NAMES = _override("name", value=r"[\w.+-]+(?:,[\w.+-]+)*")
_IMAGES = _override("data.val", "data.test")
_IN_QUOTES = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_LISTED = rf"(?:\s*{_IN_QUOTES}\s*(?=[,\]])|(?!\s*{_IN_QUOTES}\s*[,\]])[^\[\],]*)"
"""An item of a list: only if the whole of it is in quotes may it hold brackets and commas."""
_LIST = re.compile(rf"\[({_LISTED}(?:,{_LISTED})*)\]")
_ITEM = re.compile(rf"\s*{_IN_QUOTES}|[^,]+")
_NAME_BYTES = 160
"""Of a sweep's folders; most file systems take 255 bytes, with the number of the job before it."""
_IN_FOLDER = re.compile(rf"((?:^|,)(?:{'|'.join(map(re.escape, PATH_KEYS))})=)[^,]*/(?=[^,/])")
"""Of a path among the overrides of a job all but the last part."""
_CHOICE = re.compile(r"choice\((.*)\)", re.DOTALL)
_UNQUOTED = re.compile(r"""^(['"])(.*)\1$""", re.DOTALL)


def as_typed(argument: str, sweep: bool = False) -> str:
    """Quote what stands for a file, a folder or a name.

    Args:
        argument: One command-line argument: the override of a path is taken to its end, ``a=b (1) ü,#.png``
            included; of the lists in ``data.val`` and ``data.test``, and of several names for a sweep, each
            item is. Any other comes back unchanged, and so do ``null`` and what is in quotes already.
        sweep: Whether it is one of a sweep: what is no path itself, but several in ``choice(…)``, or with
            commas between and one of them there, is then those.
    """
    if match := _PATH.fullmatch(argument):
        if sweep and (several := _several_paths(match[2])):
            return f"{match[1]}={several}"
        return argument if match[2] in ("", "null") else f"{match[1]}={_quoted_path(match[2])}"
    if match := _FOLDER.fullmatch(argument):  # Lightning quotes it for the further processes of a ddp run
        return f"{match[1]}={_item(match[2])}"
    if match := _NAMES.fullmatch(argument):
        return f"{match[1]}={','.join(map(_quoted, match[2].split(',')))}"
    if (match := _IMAGES.fullmatch(argument)) and match[2] != "null":
        said = _LIST.sub(_items_quoted, match[2])
        return f"{match[1]}={said if '[' in said or ',' in said else _item(said)}"
    return argument


def require_sayable(arguments: list[str], conf: Path) -> None:
    """See that Hydra will understand a command line, where its own message would not help.

    Args:
        arguments: As typed.
        conf: Whose folders are the groups.

    Raises:
        GrainsegError: One looks like an option, lacks its ``=`` or its key, is an empty path (an unset
            variable of the shell, and the current folder for Python), chooses nothing of a group, or keeps a
            study where the libraries that are installed cannot.
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
    """What a job of a sweep differs in, as the name of one folder that every file system takes.

    Args:
        job: Its overrides with commas between. Of a path the last part stays, which tells most; of too many
            the first ones do, and the number before the name tells jobs apart.
    """
    text = re.sub("['\"]", "", _IN_FOLDER.sub(r"\1", str(job)))
    return text.replace("/", "_").encode()[:_NAME_BYTES].decode(errors="ignore")


def _require_storage(argument: str) -> None:
    """Raise a GrainsegError where the sweeper's Optuna, 2.10, would end in a bare AssertionError."""
    try:
        newer = int(version("sqlalchemy").partition(".")[0]) >= 2
    except PackageNotFoundError:  # without the extra: Hydra says that there is no such sweeper
        return
    if newer:
        raise GrainsegError(
            f"{argument}: this Optuna keeps studies with older libraries; "
            'pip install "sqlalchemy<2" "alembic<1.20"'
        )


def _require_choice(key: str, value: str, argument: str, conf: Path) -> None:
    """Raise a GrainsegError where a group is given what can be no name, such as null."""
    if "=" in argument and _NO_NAME.fullmatch(value):
        choices = sorted(path.stem for path in (conf / key).glob("*.yaml")) if key.isalpha() else []
        if choices:
            raise GrainsegError(f"{argument}: choose one of {', '.join(choices)}")
        if re.fullmatch(r"hydra(/\w+)?", key):
            raise GrainsegError(f"{argument}: must be the name of a choice; leave it out for the usual one")


def _several_paths(value: str) -> str | None:
    """Paths to sweep over as Hydra reads them; None where a value is one path."""
    if _exists(value):
        return None
    choice = _CHOICE.fullmatch(value)
    items = [_UNQUOTED.sub(r"\2", item.strip()) for item in _ITEM.findall(choice[1] if choice else value)]
    if not choice and (len(items) == 1 or not any(map(_exists, items))):
        return None
    return ",".join(map(_quoted_path, items))  # not choice(…), of which Hydra drops the quotes


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # several paths together may be longer than a name can be
        return False


def _quoted_path(path: str) -> str:
    return _quoted(path.replace("${", r"\${"))  # no interpolation in a file name


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
