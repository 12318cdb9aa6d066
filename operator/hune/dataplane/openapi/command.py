"""A command that asks for a prediction, ready to be pasted into a shell."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Final

from hune.contract import names
from hune.dataplane.openapi.content import Part

_WIDTH: Final = 88


def build_command(document: Mapping[str, Any], path: str, predict: Part) -> str:
    """Return the command with the document's own example, or with a file where it has none."""
    content = predict["requestBody"]["content"]["application/json"]
    given = show_json(content["example"], spread=True) if "example" in content else "@request.json"
    lines = [f"curl {document['servers'][-1]['url']}{path}"]
    if "security" in predict:
        token = f"kubectl create token NAME --audience {names.TOKEN_AUDIENCE}"
        lines.append(f'-H "Authorization: Bearer $({token})"')
    lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(given)}"]
    return " \\\n  ".join(lines)


def show_json(value: Any, *, spread: bool = False) -> str:
    """Return JSON for people; spread over lines, what fits into one stays in one."""
    return _spread(value, "") if spread else _flat(value)


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _spread(value: Any, indent: str) -> str:
    flat = _flat(value)
    if len(indent) + len(flat) <= _WIDTH or not isinstance(value, dict | list):
        return flat
    deeper = f"{indent}  "
    if isinstance(value, dict):
        parts = [f"{_flat(key)}: {_spread(part, deeper)}" for key, part in value.items()]
        opening, closing = "{}"
    else:
        parts = [_spread(part, deeper) for part in value]
        opening, closing = "[]"
        if all(not isinstance(part, dict | list) for part in value):
            return f"{opening}\n{_wrap(parts, deeper)}\n{indent}{closing}"
    inner = f",\n{deeper}".join(parts)
    return f"{opening}\n{deeper}{inner}\n{indent}{closing}"


def _wrap(parts: list[str], indent: str) -> str:
    """Return values in lines as full as they may be."""
    lines = [indent]
    for number, part in enumerate(parts):
        text = part if number == len(parts) - 1 else f"{part}, "
        if len(lines[-1]) + len(text) > _WIDTH and lines[-1] != indent:
            lines[-1] = lines[-1].rstrip()
            lines.append(indent)
        lines[-1] += text
    return "\n".join(lines)
