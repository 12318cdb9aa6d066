"""What holds for every tier."""

from hypothesis import HealthCheck, settings

# A busy machine is no bug, and the same commit always tries the same cases.
settings.register_profile(
    "hune",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("hune")
