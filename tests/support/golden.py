"""Golden plans: an input file with objects must yield, to the letter, its output file.

An input holds a ModelDeployment and what else the cluster holds. `$wanted` stands for the name of
the revision that the ModelDeployment asks for, `$version` for its ModelVersion's. A first document
without a kind may change the circumstances: `settings`, `kserveInstalled`, `monitoringInstalled`,
`deploymentMessages`, `detectorFaults`.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from hune.cli.output import to_yaml
from hune.contract.state import DetectorFault
from hune.controlplane.plan.model_deployment import plan_model_deployment
from hune.controlplane.plan.plan import Owner, Plan
from hune.controlplane.plan.problem import Problem
from hune.controlplane.plan.resolve import Resolved, parse_spec, referenced_version, resolve
from hune.controlplane.policy.observed import Observed
from hune.controlplane.settings import Settings

FOLDER = Path(__file__).resolve().parents[1] / "golden"
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """One input, and where its output is kept."""

    name: str

    @property
    def input(self) -> Path:
        return FOLDER / "input" / f"{self.name}.yaml"

    @property
    def output(self) -> Path:
        return FOLDER / "output" / f"{self.name}.yaml"


@dataclass(frozen=True)
class Situation:
    """What is given to one planning."""

    document: dict[str, Any]
    observed: Observed
    settings: Settings

    def plan(self) -> Plan:
        return plan_model_deployment(self.document, self.observed, self.settings, NOW)


def cases() -> list[Case]:
    return [Case(file.stem) for file in sorted((FOLDER / "input").glob("*.yaml"))]


def read(case: Case) -> Situation:
    text = case.input.read_text()
    situation = _situation(text)
    resolved = _resolve(situation)
    if resolved is not None:
        wanted = resolved.revision.name(situation.document["metadata"]["name"])
        text = text.replace("$wanted", wanted).replace("$version", resolved.model_version)
    return _situation(text)


def to_text(plan: Plan) -> str:
    """Return a whole plan: what it decided, then its children in the order of their applying."""
    decided: dict[str, Any] = {
        "status": plan.status.document(),
        "createOnly": [list(child.key) for child in plan.children if child.create_only],
        "prune": [list(key) for key in plan.prune],
        "touchedPods": dict(plan.touched_pods),
        "requeueAfter": plan.requeue_after,
    }
    return to_yaml([decided, *(child.document for child in plan.children)])


def _situation(text: str) -> Situation:
    documents = list(yaml.safe_load_all(text))
    circumstances = {} if "kind" in documents[0] else documents.pop(0)
    (document,) = (d for d in documents if d["kind"] == "ModelDeployment")
    observed = Observed(
        children={
            (d["kind"], d["metadata"]["name"]): d
            for d in documents
            if d["kind"] not in {"ModelDeployment", "ModelVersion", "Pod"}
        },
        pods=[d for d in documents if d["kind"] == "Pod"],
        model_version=_version(document, documents),
        version_numbers=[d["spec"]["number"] for d in documents if d["kind"] == "ModelVersion"],
        deployment_messages=circumstances.get("deploymentMessages", {}),
        detector_faults={
            revision: [DetectorFault(**fault) for fault in faults]
            for revision, faults in circumstances.get("detectorFaults", {}).items()
        },
        kserve_installed=circumstances.get("kserveInstalled", True),
        monitoring_installed=circumstances.get("monitoringInstalled", True),
    )
    return Situation(document, observed, Settings.model_validate(circumstances.get("settings", {})))


def _version(document: dict[str, Any], documents: list[dict[str, Any]]) -> dict[str, Any] | None:
    spec = parse_spec(document)
    if isinstance(spec, Problem):
        return None
    name = referenced_version(Owner.of(document), spec)
    found = (d for d in documents if d["kind"] == "ModelVersion" and d["metadata"]["name"] == name)
    return next(found, None)


def _resolve(situation: Situation) -> Resolved | None:
    spec = parse_spec(situation.document)
    if isinstance(spec, Problem):
        return None
    owner = Owner.of(situation.document)
    resolved = resolve(owner, spec, situation.observed, situation.settings)
    return None if isinstance(resolved, Problem) else resolved


def main() -> int:
    """Write every output anew; the diff is for a person to judge."""
    wanted = {case.output for case in cases()}
    for file in (FOLDER / "output").glob("*.yaml"):
        if file not in wanted:
            file.unlink()
    for case in cases():
        case.output.write_text(to_text(read(case).plan()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
