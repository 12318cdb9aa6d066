"""Debian's Prometheus: its programs unpacked from the package, nothing installed, no service."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.cluster import cache
from tests.cluster.command import ClusterError, run
from tests.support.eventually import eventually

_PACKAGE = "prometheus"


def program(name: str) -> Path:
    """Return `prometheus` or `promtool`, that of the machine or else Debian's.

    Raises:
        ClusterError: This machine has neither them nor apt-get.
    """
    found = shutil.which(name)
    return Path(found) if found else _unpacked() / "usr/bin" / name


def obstacle() -> str:
    """Return why there is no Prometheus to be had here; nothing when there is."""
    if shutil.which("promtool") or shutil.which("apt-get"):
        return ""
    return "neither promtool nor apt-get is on PATH: install Prometheus"


def _unpacked() -> Path:
    try:
        version = _candidate()
    except ClusterError:
        run(["apt-get", "update"])
        version = _candidate()
    return cache.once(cache.root() / "packages" / f"{_PACKAGE}-{version}", _unpack)


def _candidate() -> str:
    """Return the version that apt would install; it fails while there are no package lists."""
    fields = run(["apt-cache", "show", "--no-all-versions", _PACKAGE]).splitlines()
    (version,) = (line.split()[1] for line in fields if line.startswith("Version: "))
    return version


def _unpack(target: Path) -> None:
    target.mkdir(parents=True)
    run(["apt-get", "download", _PACKAGE], folder=target)
    (package,) = target.glob("*.deb")
    run(["dpkg-deb", "--extract", package, target])
    package.unlink()


@dataclass(frozen=True)
class Prometheus:
    """One that runs.

    Attributes:
        url: Where it answers.
    """

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an instant query.

        Raises:
            AssertionError: The expression does not parse.
        """
        found: list[dict[str, Any]] = self._get("query", {"query": expression})["result"]
        return found

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that are pending or firing."""
        found: list[dict[str, Any]] = self._get("alerts", {})["alerts"]
        return found

    def metrics(self) -> set[str]:
        """Return the names of the metrics that were scraped or recorded."""
        return set(self._fetch("/api/v1/label/__name__/values").json()["data"])

    def targets(self) -> list[dict[str, Any]]:
        """Return what is scraped."""
        found: list[dict[str, Any]] = self._get("targets", {"state": "active"})["activeTargets"]
        return found

    def alert(self, name: str) -> dict[str, Any]:
        """Return an alert, or nothing where it is neither pending nor firing."""
        found = (alert for alert in self.alerts() if alert["labels"]["alertname"] == name)
        return next(found, {})

    def is_ready(self) -> bool:
        """Tell whether it answers queries."""
        try:
            return self._fetch("/-/ready").ok
        except requests.ConnectionError:
            return False

    def _get(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        answer = self._fetch(f"/api/v1/{path}", parameters)
        assert answer.ok, f"{parameters}: {answer.text}"
        data: dict[str, Any] = answer.json()["data"]
        return data

    def _fetch(self, path: str, parameters: Mapping[str, str] | None = None) -> requests.Response:
        with requests.Session() as session:
            # Proxies of this machine do not lead there.
            session.trust_env = False
            return session.get(self.url + path, params=parameters, timeout=10)


def write_configuration(
    folder: Path, scrapes: list[dict[str, Any]], rules: Mapping[str, Any]
) -> Path:
    """Write a configuration that looks once a second, and return its file."""
    (folder / "rules.yaml").write_text(yaml.safe_dump(dict(rules)))
    every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    document = {"global": every, "scrape_configs": scrapes, "rule_files": ["rules.yaml"]}
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def command(configuration: Path, address: str) -> list[str | Path]:
    """Return the command that runs it on an address, with its data beside its configuration."""
    return [
        program("prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={configuration.parent / 'data'}",
        f"--web.listen-address={address}",
    ]


@contextmanager
def running(configuration: Path) -> Iterator[Prometheus]:
    """Run one on loopback."""
    log = configuration.parent / "prometheus.log"
    words = command(configuration, "127.0.0.1:0")
    with (
        log.open("w") as output,
        subprocess.Popen(words, stdout=output, stderr=output) as process,
    ):
        try:
            eventually(lambda: _address(log), seen=log.read_text)
            prometheus = Prometheus(f"http://{_address(log)}")
            eventually(prometheus.is_ready, seen=log.read_text)
            yield prometheus
        finally:
            process.terminate()
            process.wait(30)


def _address(log: Path) -> str:
    found = re.search(r'"Listening on" address=(\S+)', log.read_text())
    return found[1] if found else ""


def check_rules(folder: Path, rules: Mapping[str, Any]) -> str:
    """Return what promtool says of a rule file, which it must accept."""
    file = folder / "rules.yaml"
    file.write_text(yaml.safe_dump(dict(rules)))
    return run([program("promtool"), "check", "rules", file])


def try_rules(folder: Path, rules: Mapping[str, Any], test: Mapping[str, Any]) -> str:
    """Have promtool run a test of rules; return what it says against them, or nothing."""
    (folder / "rules.yaml").write_text(yaml.safe_dump(dict(rules)))
    file = folder / "test.yaml"
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
    file.write_text(json.dumps(document))
    words = [program("promtool"), "test", "rules", file]
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""
