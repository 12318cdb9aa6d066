from hune.controlplane.api.conditions import Condition, Status, find, settle


def condition(status: Status = Status.TRUE, message: str = "fine") -> Condition:
    return Condition(type="Ready", status=status, reason="Ready", message=message)


def former(status: str, time: str) -> dict[str, str]:
    return {"type": "Ready", "status": status, "lastTransitionTime": time}


def test_the_time_of_an_unchanged_status_is_kept() -> None:
    (settled,) = settle([condition(message="better")], [former("True", "then")], 4, "now")
    assert settled.document() == {
        "type": "Ready",
        "status": "True",
        "reason": "Ready",
        "message": "better",
        "observedGeneration": 4,
        "lastTransitionTime": "then",
    }


def test_a_status_that_turned_gets_the_time() -> None:
    (turned,) = settle([condition(Status.FALSE)], [former("True", "then")], 4, "now")
    assert turned.last_transition_time == "now"
    (fresh,) = settle([condition()], [], 4, "now")
    assert fresh.last_transition_time == "now"


def test_an_endless_message_is_cut_to_what_the_api_server_takes() -> None:
    assert len(condition(message="x" * 10_000).message) == 4096


def test_an_absent_condition_is_unknown_and_never_none() -> None:
    unknown = {"type": "Ready", "status": "Unknown", "reason": "NotReported", "message": ""}
    assert find({}, "Ready") == unknown
    assert find({"status": {"conditions": [{"type": "Other"}]}}, "Ready") == unknown
    found = {"type": "Ready", "status": "True"}
    assert find({"status": {"conditions": [found]}}, "Ready") == found
