"""Every invalid file is refused before any cluster sees it, where Python can know."""

import pytest

from tests.support import invalid
from tests.support.invalid import Invalid


@pytest.mark.parametrize("case", invalid.files(), ids=lambda case: case.file.stem)
def test_python_refuses_what_the_api_server_refuses(case: Invalid) -> None:
    said = invalid.refusal(case.document)
    if case.python is None:
        assert not said, "Python refuses this after all: say with which words"
    else:
        assert case.python in said


def test_enough_is_tried() -> None:
    assert len(invalid.files()) >= 36
