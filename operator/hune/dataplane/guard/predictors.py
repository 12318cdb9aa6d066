"""Which kind of predictor the settings describe."""

from hune.contract.guard import SELDON, GuardSettings
from hune.dataplane.guard.environment import Environment
from hune.dataplane.guard.memory import Memory
from hune.dataplane.guard.predictor import Predictor, RemotePredictor
from hune.dataplane.guard.seldon import SeldonPredictor


def predictor_of(settings: GuardSettings, environment: Environment, memory: Memory) -> Predictor:
    """Return the predictor beside the guard, in whose protocol it is spoken to."""
    kind = SeldonPredictor if settings.protocol == SELDON else RemotePredictor
    return kind(settings, environment, memory)
