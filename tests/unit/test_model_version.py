"""The plan of a ModelVersion: who uses it, and with which images."""

from typing import Any

from hune.controlplane.plan.model_version import plan_model_version

IMAGE = "docker.io/hune/guard@sha256:"


def document(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "income-7", "generation": 1}, "status": status}


def pod(*images: str, ready: bool = True) -> dict[str, Any]:
    statuses = [{"imageID": image, "ready": ready} for image in images]
    return {"metadata": {"name": "p"}, "status": {"containerStatuses": statuses}}


def test_users_and_images_are_told() -> None:
    plan = plan_model_version(document(), ["b", "a"], [pod(f"{IMAGE}2"), pod(f"{IMAGE}1")])
    assert plan.status.document() == {
        "observedGeneration": 1,
        "usedBy": ["a", "b"],
        "imageDigests": [f"{IMAGE}1", f"{IMAGE}2"],
    }
    assert plan.children == ()
    assert plan.prune == ()


def test_images_of_the_past_stay_and_come_first() -> None:
    plan = plan_model_version(
        document(imageDigests=[f"{IMAGE}9"]), [], [pod(f"{IMAGE}1", f"{IMAGE}9")]
    )
    assert plan.status.document()["imageDigests"] == [f"{IMAGE}9", f"{IMAGE}1"]
    again = plan_model_version(document(**plan.status.document()), [], [])
    assert again.status == plan.status, "what it was served with is remembered"


def test_what_never_ran_and_what_has_no_digest_does_not_count() -> None:
    pods = [pod(f"{IMAGE}1", ready=False), pod("docker.io/hune/guard:1"), {"metadata": {}}]
    assert plan_model_version(document(), [], pods).status.document()["imageDigests"] == []


def test_lists_stay_within_their_maxima_and_the_newest_are_kept() -> None:
    users = [f"u{number:03}" for number in range(200)]
    images = [f"{IMAGE}{number:03}" for number in range(100)]
    status = plan_model_version(document(), users, [pod(*images)]).status.document()
    assert len(status["usedBy"]) == 128
    assert status["imageDigests"] == images[-64:]
