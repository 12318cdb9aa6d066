"""The house's measures: short functions, small modules, and words for everything public."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

OPERATOR = Path(__file__).resolve().parents[2] / "operator" / "hune"
MODULES = sorted(OPERATOR.rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[str, Function]]:
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, Function):
                yield f"{module.relative_to(OPERATOR)}:{node.lineno} {node.name}", node


def length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_function_is_longer_than_60_lines() -> None:
    assert [name for name, node in functions() if length(node) > 60] == []


def test_most_functions_are_short() -> None:
    lengths = [length(node) for _, node in functions()]
    assert statistics.median(lengths) <= 12
    assert statistics.quantiles(lengths, n=10)[-1] <= 35


def test_no_module_is_longer_than_300_lines() -> None:
    lines = {module: len(module.read_text().splitlines()) for module in MODULES}
    assert {str(m.relative_to(OPERATOR)): n for m, n in lines.items() if n > 300} == {}


def test_every_function_is_annotated() -> None:
    assert [name for name, node in functions() if node.returns is None] == []
