"""One request to a deployed model through the API server, with a token of a ServiceAccount."""

import argparse
import json
import sys
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from kubernetes import client
from kubernetes.stream import portforward

from hune.cli import cluster
from hune.cli.errors import UserError
from hune.contract import names
from hune.controlplane.api import conditions
from hune.controlplane.api.modeldeployment import PLURAL, READY

_TOKEN_SECONDS = 600  # the API server makes none that lives less
_TIMEOUT_SECONDS = 120
_FORBIDDEN = 403
_NOT_FOUND = 404
_FIRST_ERROR = 400


def ask(arguments: argparse.Namespace) -> None:
    """Ask a model and print what it answers.

    Raises:
        UserError: The cluster, the guard or the model refuses, or there is nothing to ask.
    """
    body = _read(arguments.file)
    with cluster.connected() as api:
        namespace = arguments.namespace or cluster.current_namespace()
        deployment = _find_deployment(api, namespace, arguments.name)
        pod = _find_pod(api, deployment)
        token = _make_token(api, namespace, arguments.account)
        path = arguments.path or _predict_path(deployment)
        print(_send(api, pod, path, body, token))


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UserError(f"--file {file}: {error.strerror}") from None


def _find_deployment(api: client.ApiClient, namespace: str, name: str) -> dict[str, Any]:
    try:
        found: Any = client.CustomObjectsApi(api).get_namespaced_custom_object(
            names.GROUP, names.VERSION, namespace, PLURAL, name
        )
    except client.ApiException as error:
        if error.status == _NOT_FOUND:
            raise UserError(
                f"there is no ModelDeployment {name} in the namespace {namespace}; "
                "`kubectl get modeldeployments --all-namespaces` lists them"
            ) from None
        raise _lacking(error, _rule(names.GROUP, PLURAL, name, "get")) from None
    document: dict[str, Any] = found
    return document


def _find_pod(api: client.ApiClient, deployment: dict[str, Any]) -> Any:
    """Return a ready pod of the revision that answers."""
    namespace = deployment["metadata"]["namespace"]
    revisions = deployment.get("status", {}).get("revisions", [])
    active = next((r["name"] for r in revisions if r["role"] == "Active"), None)
    pods: list[Any] = []
    if active is not None:
        selector = f"{names.LABEL_REVISION}={active}"
        try:
            pods = (
                client.CoreV1Api(api).list_namespaced_pod(namespace, label_selector=selector).items
            )
        except client.ApiException as error:
            raise _lacking(error, _rule("", "pods", "", "list")) from None
    pod = next((pod for pod in pods if _is_ready(pod)), None)
    if pod is None:
        name, ready = deployment["metadata"]["name"], conditions.find(deployment, READY)
        raise UserError(
            f"ModelDeployment {name} has no ready pod: {ready['reason']} {ready['message']}".strip()
        )
    return pod


def _is_ready(pod: Any) -> bool:
    told = {c.type: c.status for c in pod.status.conditions or []}
    return pod.metadata.deletion_timestamp is None and told.get("Ready") == "True"


def _make_token(api: client.ApiClient, namespace: str, account: str) -> str:
    request = client.AuthenticationV1TokenRequest(
        spec=client.V1TokenRequestSpec(
            audiences=[names.TOKEN_AUDIENCE], expiration_seconds=_TOKEN_SECONDS
        )
    )
    try:
        made: Any = client.CoreV1Api(api).create_namespaced_service_account_token(
            account, namespace, request
        )
    except client.ApiException as error:
        if error.status == _NOT_FOUND:
            raise UserError(
                f"--as {account}: there is no such ServiceAccount in the namespace {namespace}; "
                f"make it with `kubectl --namespace {namespace} create serviceaccount {account}`"
            ) from None
        rule = _rule("", "serviceaccounts/token", account, "create")
        raise _lacking(error, rule) from None
    return str(made.status.token)


def _predict_path(deployment: dict[str, Any]) -> str:
    name = deployment["metadata"]["name"]
    if deployment["spec"].get("serving", {}).get("protocol") == "V1":
        return f"/v1/models/{name}:predict"
    return f"/v2/models/{name}/infer"


def _send(api: client.ApiClient, pod: Any, path: str, body: bytes, token: str) -> str:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        forwarded = portforward(
            client.CoreV1Api(api).connect_get_namespaced_pod_portforward,
            pod.metadata.name,
            pod.metadata.namespace,
            ports=str(names.GUARD_PORT),
        )
    except client.ApiException as error:
        raise UserError(_not_forwarded(pod.metadata.name, str(error.reason))) from None
    connection = HTTPConnection(pod.metadata.name)
    connection.sock = forwarded.socket(names.GUARD_PORT)
    try:
        connection.sock.settimeout(_TIMEOUT_SECONDS)
        connection.request("POST", path, body, headers)
        return _answer(connection.getresponse())
    except (OSError, HTTPException) as error:
        said = forwarded.error(names.GUARD_PORT) or f"{error!r}"
        raise UserError(f"pod {pod.metadata.name} does not answer: {said}") from None
    finally:
        connection.close()


def _not_forwarded(pod: str, reason: str) -> str:
    # The upgrade to a WebSocket fails without the API server's own words.
    if f"status {_FORBIDDEN}" in reason:
        rule = _rule("", "pods/portforward", "", "get, create")
        return f"you may forward no port to pod {pod}; a Role must give you {rule}"
    return f"no port can be forwarded to pod {pod}: {reason.partition('-+-+-')[0].strip()}"


def _answer(response: HTTPResponse) -> str:
    text = response.read().decode(errors="replace")
    if response.status >= _FIRST_ERROR:
        raise UserError(f"the answer is {response.status}: {_reason(text)}")
    return text


def _reason(text: str) -> str:
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text


def _lacking(error: client.ApiException, rule: str) -> Exception:
    """Return the error that names the right a person lacks; another one as it is."""
    if error.status != _FORBIDDEN:
        return error
    return UserError(f"{cluster.message_of(error)}; a Role must give you {rule}")


def _rule(group: str, resource: str, name: str, verbs: str) -> str:
    limit = f" resourceNames: [{name}]," if name else ""
    return f'{{apiGroups: ["{group}"], resources: [{resource}],{limit} verbs: [{verbs}]}}'
