"""Metric names, so that dashboards, alerts and both wings agree on them."""

from typing import Final

GUARD_REQUESTS: Final = "hune_guard_requests_total"
GUARD_DURATION: Final = "hune_guard_request_duration_seconds"
GUARD_PREDICTOR_DURATION: Final = "hune_guard_predictor_duration_seconds"
GUARD_IN_FLIGHT: Final = "hune_guard_requests_in_flight"
GUARD_INFORMATION: Final = "hune_guard_info"
GUARD_DRAINING: Final = "hune_guard_draining"
GUARD_FILE_FAILURES: Final = "hune_guard_file_failures_total"
GUARD_CONTRACT_BREACHES: Final = "hune_guard_contract_breaches_total"
GUARD_ACCESS_DECISIONS: Final = "hune_guard_access_decisions_total"
GUARD_CALLER_REQUESTS: Final = "hune_guard_caller_requests_total"
GUARD_AUTHORIZER_REQUESTS: Final = "hune_guard_authorizer_requests_total"

AUTHORIZER_REQUESTS: Final = "hune_authorizer_requests_total"
AUTHORIZER_DURATION: Final = "hune_authorizer_request_duration_seconds"

DETECTOR_ROWS: Final = "hune_guard_detector_rows_total"
DETECTOR_FLAGGED: Final = "hune_guard_detector_flagged_total"
DETECTOR_DURATION: Final = "hune_guard_detector_duration_seconds"
DETECTOR_FAILURES: Final = "hune_guard_detector_failures_total"

GUARD_EXPLAINER_FAILURES: Final = "hune_guard_explainer_failures_total"
EXPLAINER_REQUESTS: Final = "hune_explainer_requests_total"
EXPLAINER_ROWS: Final = "hune_explainer_rows_total"
EXPLAINER_DURATION: Final = "hune_explainer_duration_seconds"
EXPLAINER_PREDICTOR_REQUESTS: Final = "hune_explainer_predictor_requests_total"
EXPLAINER_IN_FLIGHT: Final = "hune_explainer_in_flight"
EXPLAINER_READY: Final = "hune_explainer_ready"

RECONCILES: Final = "hune_reconcile_total"
RECONCILE_DURATION: Final = "hune_reconcile_duration_seconds"
QUEUE_DEPTH: Final = "hune_queue_depth"
API_WRITES: Final = "hune_api_writes_total"
LEADER: Final = "hune_leader"
OBJECTS: Final = "hune_observed_objects"
