"""Read the ranges of the synthetic stream from the configuration; ``WideRecipe`` explains each range."""

from collections.abc import Mapping
from dataclasses import asdict
from difflib import get_close_matches
from typing import Any

from grainseg.errors import GrainsegError
from grainseg.micrograph.wide.recipe import WIDE, WideRecipe

_KINDS = {bool: "truth value", int: "whole number", float: "number", str: "word"}


def read_recipe(values: Mapping[str, Any], key: str) -> WideRecipe:
    """Build the generator's recipe from plain values.

    Args:
        values: All fields of a ``WideRecipe``, with lists for its tuples.
        key: Configuration key of the values, for the error message.

    Raises:
        GrainsegError: A name is unknown or missing, or a value has another type or is not allowed.
    """
    examples = asdict(WIDE)
    for name in map(str, values):
        if name not in examples:
            close = get_close_matches(name, examples, n=1)
            hint = f"did you mean {key}.{close[0]}?" if close else f"known are {', '.join(examples)}"
            raise GrainsegError(f"{key}.{name}: there is no such key; {hint}")
    read: dict[str, Any] = {}
    for name, example in examples.items():
        if name not in values:
            raise GrainsegError(f"{key}.{name} is missing: say {key}.{name}=VALUE")
        try:
            read[name] = _like(values[name], example)
        except (TypeError, OverflowError) as error:
            rule = f"must be {_described(example)}"
            raise GrainsegError(f"{key}.{name}={values[name]}: {rule}") from error
    try:
        return WideRecipe(**read)
    except GrainsegError as error:
        raise GrainsegError(f"{key}: {error}") from error


def _like(value: object, example: object) -> object:
    """Convert a value to the type of an example: a list to a tuple, a whole number to a float.

    Raises:
        TypeError: The value has another type; neither text nor a truth value passes for a number.
        OverflowError: The value is too large for a float.
    """
    if isinstance(value, list) and isinstance(example, tuple):
        return tuple(_like(part, example[0]) for part in value)
    if type(value) is int and isinstance(example, float):
        return float(value)
    if type(value) is not type(example):
        raise TypeError
    return value


def _described(example: object) -> str:
    if isinstance(example, tuple):
        return f"a list of {_KINDS[type(example[0])]}s, such as [{','.join(map(str, example))}]"
    return f"a {_KINDS[type(example)]}, such as {str(example).lower()}"
