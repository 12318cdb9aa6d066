"""`hune run` and `hune authorizer` where no cluster is named: they end, and say what to set."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("command", ["run", "authorizer"])
@pytest.mark.parametrize(
    ("kubeconfig", "told"),
    [
        pytest.param(None, "not in a pod, and there is no kubeconfig", id="none"),
        pytest.param("", "none.yaml: No such file", id="one that is not there"),
        pytest.param("[", "none.yaml is no kubeconfig: ParserError", id="one that is no YAML"),
        pytest.param("kind: Config", "Current context is not set", id="one without a context"),
        pytest.param("current-context: a", "none.yaml is no kubeconfig: KeyError: 'a'", id="a gap"),
    ],
)
def test_without_a_cluster_it_ends_with_one_line(
    tmp_path: Path, command: str, kubeconfig: str | None, told: str
) -> None:
    variables = {"HOME": str(tmp_path)}
    if kubeconfig is not None:
        file = tmp_path / "none.yaml"
        variables["KUBECONFIG"] = str(file)
        if kubeconfig:
            file.write_text(kubeconfig)
    words = [sys.executable, "-m", "hune.cli.main", command]
    ended = subprocess.run(
        words, env=variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert told in ended.stderr
    assert ended.stderr.startswith("hune: error: ")
    assert ended.stderr.endswith("; set KUBECONFIG to a kubeconfig of the cluster\n")
    assert len(ended.stderr.splitlines()) == 1
