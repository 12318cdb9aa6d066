"""YAML as a person wants to read it."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Write shared parts out: anchors are for parsers, not for people."""
        del data
        return True


def to_yaml(documents: Iterable[Mapping[str, Any]]) -> str:
    """Return documents as YAML, keys in the given order."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=100)
