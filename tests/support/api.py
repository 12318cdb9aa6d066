"""The API server as a test sees it: documents by their resource, over one kept-alive connection."""

import json
from collections.abc import Mapping
from typing import Any, Self

import requests
from kubernetes.client import Configuration
from kubernetes.config import load_kube_config

from hune.controlplane.cluster import resources
from hune.controlplane.cluster.resources import Resource
from tests.cluster import Cluster

Document = dict[str, Any]
NAMESPACE = Resource("v1", "Namespace", "namespaces")
NODE = Resource("v1", "Node", "nodes")
CLAIM = Resource("v1", "PersistentVolumeClaim", "persistentvolumeclaims")
SERVICE_ACCOUNT = Resource("v1", "ServiceAccount", "serviceaccounts")
ROLE = Resource("rbac.authorization.k8s.io/v1", "Role", "roles")
ROLE_BINDING = Resource("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings")
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_SECONDS = 30
BY_KIND = resources.BY_KIND | {
    resource.kind: resource
    for resource in (
        NAMESPACE,
        CLAIM,
        SERVICE_ACCOUNT,
        ROLE,
        ROLE_BINDING,
        resources.SECRET,
        resources.DEPLOYMENT,
        resources.LEASE,
    )
}


class ApiError(Exception):
    """The API server refused; the message is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """Reads and writes as the cluster's administrator."""

    def __init__(self, cluster: Cluster) -> None:
        configuration = Configuration()
        load_kube_config(  # type: ignore[no-untyped-call]
            str(cluster.kubeconfig), client_configuration=configuration
        )
        self._server = configuration.host
        self._session = requests.Session()
        # Proxies and authorities of this machine are not the cluster's.
        self._session.trust_env = False
        self._session.verify = configuration.ssl_ca_cert or configuration.verify_ssl
        if configuration.cert_file and configuration.key_file:
            self._session.cert = (configuration.cert_file, configuration.key_file)
        token = configuration.get_api_key_with_prefix("authorization")
        if token:
            self._session.headers["Authorization"] = token

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> requests.Response:
        """Send one request and return the answer, whatever it is."""
        return self._session.request(
            method,
            self._server + path,
            data=None if body is None else json.dumps(body),
            headers={"Content-Type": content_type},
            timeout=_SECONDS,
        )

    def get(self, resource: Resource, namespace: str | None, name: str) -> Document | None:
        """Return an object, or None."""
        return self._found("GET", resource.path(namespace, name))

    def find(self, resource: Resource, namespace: str, selector: str = "") -> list[Document]:
        """Return the objects of a namespace."""
        path = f"{resource.path(namespace)}?labelSelector={selector}"
        found = self._document("GET", path)
        return [
            {"apiVersion": resource.api_version, "kind": resource.kind, **item}
            for item in found["items"]
        ]

    def apply(self, document: Mapping[str, Any], manager: str = "e2e") -> Document:
        """Apply an object on the server's side."""
        metadata = document["metadata"]
        path = BY_KIND[document["kind"]].path(metadata.get("namespace"), metadata["name"])
        return self._document(
            "PATCH", f"{path}?fieldManager={manager}&force=true", document, _APPLY
        )

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        change: Mapping[str, Any],
        manager: str = "e2e",
    ) -> Document:
        """Merge a change into an object."""
        path = f"{resource.path(namespace, name)}?fieldManager={manager}"
        return self._document("PATCH", path, change, _MERGE)

    def delete(
        self, resource: Resource, namespace: str | None, name: str, grace: int | None = None
    ) -> None:
        """Delete an object, if it is there."""
        options: Document = {"propagationPolicy": "Background"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        self._found("DELETE", resource.path(namespace, name), options)

    def _found(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Document | None:
        try:
            return self._document(method, path, body)
        except ApiError as error:
            if error.status == requests.codes.not_found:
                return None
            raise

    def _document(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Document:
        answer = self.call(method, path, body, content_type)
        document: Document = answer.json()
        if not answer.ok:
            raise ApiError(answer.status_code, document.get("message", answer.text))
        return document
