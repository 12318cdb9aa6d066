"""YAML as a person wants to read it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Write shared parts out: anchors are for parsers, not for people."""
        del data
        return True


# YAML 1.2, as the API server reads it, knows numbers that the parser of YAML 1.1 takes for text.
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+)$"),
    list("-+.0123456789"),
)


def to_yaml(documents: Iterable[Mapping[str, Any]]) -> str:
    """Return documents as YAML, keys in the given order."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=100)
