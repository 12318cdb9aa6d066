"""The process of the Lite profile: load the model, then be a guard that asks it."""

import logging
import sys
from collections.abc import Mapping
from typing import Final

from hune.contract.guard import GuardSettings
from hune.dataplane.guard.environment import BadVariableError, Environment
from hune.dataplane.guard.memory import Memory
from hune.dataplane.guard.process import UNUSABLE, configure_logging
from hune.dataplane.guard.process import run as run_guard
from hune.dataplane.lite.memory import give_back
from hune.dataplane.lite.model import Model, ModelError
from hune.dataplane.lite.options import Options
from hune.dataplane.lite.predictor import LitePredictor

_LOG: Final = logging.getLogger(__name__)


def run(variables: Mapping[str, str]) -> int:
    """Serve until told to end; return the exit status.

    Without a model it serves, too: as not ready, and saying why.
    """
    configure_logging()
    try:
        options = Options.read(variables)
    except BadVariableError as error:
        sys.stderr.write(f"lite: {error}\n")
        return UNUSABLE
    return serve(variables, _load(options))


def serve(variables: Mapping[str, str], loaded: Model | ModelError) -> int:
    """Serve a model, or say why there is none, until told to end; return the exit status."""
    give_back()

    def make_predictor(
        settings: GuardSettings, environment: Environment, _: Memory
    ) -> LitePredictor:
        return LitePredictor(loaded, settings, environment)

    return run_guard(variables, make_predictor)


def _load(options: Options) -> Model | ModelError:
    try:
        model = Model(options)
    except ModelError as error:
        _LOG.error("%s", error)
        return error
    taken = ", ".join(f"{signature.name}: {signature}" for signature in model.inputs)
    _LOG.info("the model takes %s", taken)
    return model
