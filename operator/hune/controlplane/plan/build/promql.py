"""The queries that alerts and the dashboard share, in Prometheus' language.

A `scope` is a list of label matchers that chooses deployments; empty, it chooses all of them. The
labels `namespace`, `deployment`, `revision` and `pod` are the scraper's, see `pod_monitor`.
"""

from hune.contract import metrics

DEPLOYMENT = "namespace, deployment"
VERSION = f"{DEPLOYMENT}, model_version"
FAILED = 'code=~"5.."'
NOT_FAILED = 'code!~"5.."'
_PREDICT = 'endpoint="predict"'


def build_scope(namespace: str, deployment: str) -> str:
    """Return the matchers that choose one deployment."""
    return f'namespace="{namespace}", deployment="{deployment}"'


def select(metric: str, *matchers: str) -> str:
    """Return a selector; empty matchers are passed over."""
    chosen = ", ".join(filter(None, matchers))
    return f"{metric}{{{chosen}}}" if chosen else metric


def total(expression: str, by: str = DEPLOYMENT) -> str:
    """Return the sum of an expression by labels."""
    return f"sum by ({by}) ({expression})"


def prediction_rate(scope: str, window: str, *matchers: str) -> str:
    """Return the predictions per second that were answered, or those of certain codes."""
    return total(f"rate({_predictions(scope, *matchers)}[{window}])")


def prediction_count(scope: str, window: str) -> str:
    """Return the number of predictions that were answered within a window."""
    return total(f"increase({_predictions(scope)}[{window}])")


def failure_ratio(scope: str, window: str) -> str:
    """Return the share, 0 to 1, of predictions answered with 5xx; NaN where none was asked for.

    A guard counts its failures from 0, so that the first one is no new series but an increase.
    """
    failed = prediction_rate(scope, window, FAILED)
    return f"{failed} / {prediction_rate(scope, window)}"


def latency_quantile(scope: str, window: str, quantile: str, metric: str) -> str:
    """Return a quantile of a histogram of predictions, in seconds."""
    matchers = (scope, _PREDICT) if metric == metrics.GUARD_DURATION else (scope,)
    buckets = f"rate({select(f'{metric}_bucket', *matchers)}[{window}])"
    return f"histogram_quantile({quantile}, {total(buckets, f'{DEPLOYMENT}, le')})"


def demand_rate(scope: str, window: str) -> str:
    """Return the predictions per second that were asked for: answered, or come to wait."""
    waiting = total(f"deriv({select(metrics.GUARD_IN_FLIGHT, scope)}[{window}])")
    return f"{prediction_rate(scope, window)} + clamp_min({waiting}, 0)"


def by_version(expression: str, scope: str, by: str = VERSION) -> str:
    """Return the sum of a per-guard expression by labels, the model's version among them."""
    served = select(metrics.GUARD_INFORMATION, scope)
    joined = f"({expression}) * on (namespace, pod) group_left (model_version) {served}"
    return total(joined, by)


def _predictions(scope: str, *matchers: str) -> str:
    return select(metrics.GUARD_REQUESTS, scope, _PREDICT, *matchers)
