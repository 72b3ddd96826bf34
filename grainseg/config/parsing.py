"""Turn a composed configuration into the checked schema; errors name the key and the fix.

This module imports neither Hydra nor anything heavy, so that a misspelt key or a wrong type is found before
anything else happens.
"""

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from grainseg.config.checks import check_one_of
from grainseg.config.data import DATA_SCHEMAS
from grainseg.config.loss import LOSS_SCHEMAS
from grainseg.config.measurement import PredictConfig
from grainseg.config.schema import TrainConfig
from grainseg.errors import GrainsegError

Schema = TypeVar("Schema")

_FREE = ("model.options", "data.regimes")
"""Dictionaries to which keys may be added."""
_HAS_NONE = ("augment", "logger", "partition")
"""Groups with a choice ``none``, to be used instead of deleting the group, as in ``~logger``."""


def parse_train(config: DictConfig) -> TrainConfig:
    """Turn a composed configuration into a checked ``TrainConfig``.

    Raises:
        GrainsegError: A key is unknown or missing, a type is wrong or a value is out of range; the message
            names the key.
    """
    node = config.copy()
    OmegaConf.set_struct(node, False)
    node.loss = _parse_choice(node.get("loss"), LOSS_SCHEMAS, "loss.")
    node.data = _parse_choice(node.get("data"), DATA_SCHEMAS, "data.")
    return _parse(node, TrainConfig)


def parse_predict(config: DictConfig) -> PredictConfig:
    """Turn a composed configuration into a checked ``PredictConfig``.

    Raises:
        GrainsegError: As for :func:`parse_train`.
    """
    return _parse(config, PredictConfig)


def to_plain(config: TrainConfig) -> dict[str, Any]:
    """The configuration as nested plain dicts, lists, strings, numbers and None."""
    plain = OmegaConf.to_container(OmegaConf.structured(config), resolve=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _parse_choice(node: Any, schemas: Mapping[str, type[Schema]], prefix: str) -> Schema:
    """Parse a group whose key ``name`` selects its schema."""
    name = str(node.get("name") if isinstance(node, DictConfig) else None)
    check_one_of(f"{prefix}name", name, tuple(schemas))
    keys = {str(key) for key in node}
    if keys != _keys(schemas[name]) and any(keys == _keys(schema) for schema in schemas.values()):
        group = prefix.rstrip(".")
        raise GrainsegError(f"{prefix}name={name}: has other settings than these; say {group}={name}")
    return _parse(node, schemas[name], prefix)


def _keys(schema: type) -> set[str]:
    return {field.name for field in fields(schema)}


def _parse(node: Any, schema: type[Schema], prefix: str = "") -> Schema:
    try:
        merged = OmegaConf.merge(OmegaConf.structured(schema), node)
        missing = sorted(OmegaConf.missing_keys(merged))
        if missing:
            value = "none" if missing[0] in _HAS_NONE else "VALUE"
            raise GrainsegError(f"{prefix}{missing[0]} is missing: say {prefix}{missing[0]}={value}")
        built = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        raise GrainsegError(_schema_message(error, node, prefix)) from error
    assert isinstance(built, schema)
    return built


def _schema_message(error: OmegaConfBaseException, config: DictConfig, prefix: str) -> str:
    key = prefix + str(error.full_key)
    if isinstance(error, ConfigKeyError | ConfigAttributeError):
        if not prefix:
            return unknown_key(key, config)
        around = OmegaConf.create()
        OmegaConf.update(around, prefix.rstrip("."), config)
        return unknown_key(key, around)
    if "is not a ListConfig" in str(error.msg):
        value = OmegaConf.select(config, str(error.full_key))
        return f"{key}={value}: must be a list; say '{key}=[{value}]'"
    return f"{key}: {str(error.msg).splitlines()[0]}"


def unknown_key(key: str, config: DictConfig, value: str = "VALUE") -> str:
    """Error message for a key that does not exist, with the key that may have been meant.

    Args:
        key: Dotted name.
        config: The configuration in which the key was looked up.
        value: Value that was given for the key.
    """
    group = key.rpartition(".")[0]
    siblings = OmegaConf.select(config, group) if group else config
    if not isinstance(siblings, DictConfig):
        return f"{key}: there is no such key"
    prefix = f"{group}." if group else ""
    names = [prefix + str(name) for name in siblings if prefix + str(name) not in (key, "hydra")]
    close = get_close_matches(key, names, n=1)
    if group in _FREE:
        hint = f"to add it, say +{key}={value}"
    elif not names:
        hint = f"{group} is one value, and has no keys"
    else:
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(names)}"
    return f"{key}: there is no such key; {hint}"
