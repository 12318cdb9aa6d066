"""Nested settings go to JSON and come back; what does not fit is named by its path."""

from dataclasses import dataclass

import pytest

from hune.contract.document import from_document, to_document


@dataclass(frozen=True)
class Leaf:
    name: str
    weight: int = 1


@dataclass(frozen=True)
class Tree:
    root_leaf: Leaf
    leaves: tuple[Leaf, ...] = ()
    shade: Leaf | None = None
    tags: tuple[str, ...] = ()


TREE = Tree(Leaf("a"), (Leaf("b", 2), Leaf("c")), Leaf("d"), ("x",))
DOCUMENT = {
    "rootLeaf": {"name": "a"},
    "leaves": [{"name": "b", "weight": 2}, {"name": "c"}],
    "shade": {"name": "d"},
    "tags": ["x"],
}


def test_there_and_back() -> None:
    assert to_document(TREE) == DOCUMENT
    assert from_document(Tree, DOCUMENT, "tree") == TREE


def test_what_has_its_default_is_left_out() -> None:
    assert to_document(Tree(Leaf("a"))) == {"rootLeaf": {"name": "a"}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rootLeaf": None}, "tree: rootLeaf must be a JSON object"),
        ({"rootLeaf": {}}, "tree: rootLeaf: name is missing"),
        ({"leaves": {"name": "b"}}, "tree: leaves must be a list"),
        ({"leaves": [{"name": "b"}, {"name": 7}]}, r"tree: leaves\[1\]: name must be str"),
        ({"leaves": [{"name": "b", "weight": True}]}, r"leaves\[0\]: weight must be int"),
        ({"shade": "d"}, "tree: shade must be a JSON object"),
        ({"tags": [1]}, r"tree: tags\[0\] must be str"),
    ],
)
def test_a_misfit_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_document(Tree, DOCUMENT | change, "tree")
