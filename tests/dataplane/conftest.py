"""The guard and its predictor; both are quick to start, so each module has a pair of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hune.contract.access import OPEN, AccessSettings
from tests.support.guard import GuardProcess
from tests.support.lite import LiteProcess
from tests.support.onnx_models import FOREST, MIXED
from tests.support.predictor import Predictor

StartGuard = Callable[..., GuardProcess]
NOBODY_ASKED = AccessSettings(OPEN)


@pytest.fixture(scope="module")
def module_predictor() -> Iterator[Predictor]:
    predictor = Predictor()
    yield predictor
    predictor.released.set()
    predictor.stop()


@pytest.fixture
def predictor(module_predictor: Predictor) -> Iterator[Predictor]:
    module_predictor.reset()
    yield module_predictor
    module_predictor.released.set()


@pytest.fixture(scope="module")
def module_guard(
    module_predictor: Predictor, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GuardProcess]:
    guard = GuardProcess(
        tmp_path_factory.mktemp("guard"),
        module_predictor.port,
        HUNE_MAXIMUM_BODY_BYTES="200000",
    ).start()
    yield guard
    guard.close()


@pytest.fixture
def guard(module_guard: GuardProcess, predictor: Predictor) -> GuardProcess:
    """Share a guard among the tests of a module that leave it as it was."""
    assert predictor.port == module_guard.settings.predictor_port
    return module_guard


@pytest.fixture
def start_guard(predictor: Predictor, tmp_path: Path) -> Iterator[StartGuard]:
    """Start a guard of the test's own, with an environment of its own."""
    guards: list[GuardProcess] = []

    def start(access: AccessSettings = NOBODY_ASKED, **environment: str) -> GuardProcess:
        directory = tmp_path / str(len(guards))
        directory.mkdir()
        process = GuardProcess(directory, predictor.port, access=access, **environment)
        guards.append(process.start())
        return guards[-1]

    yield start
    for guard in guards:
        guard.close()


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteProcess]:
    lite = LiteProcess(tmp_path_factory.mktemp("forest"), FOREST).start()
    yield lite
    lite.close()


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteProcess]:
    lite = LiteProcess(tmp_path_factory.mktemp("mixed"), MIXED).start()
    yield lite
    lite.close()
