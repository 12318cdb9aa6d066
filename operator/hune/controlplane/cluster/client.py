"""A small client of the Kubernetes API over one kept-alive aiohttp session."""

import ssl
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Self

import aiohttp
import kopf
import orjson

from hune.contract import names
from hune.controlplane.cluster.resources import Resource
from hune.controlplane.errors import (
    ApiError,
    ConflictError,
    NotFoundError,
    RefusedError,
)

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_ERRORS: dict[int, type[ApiError]] = {
    400: RefusedError,
    403: RefusedError,
    404: NotFoundError,
    409: ConflictError,
    422: RefusedError,
}
_TOKEN_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10)
# A watch may be silent until its server-side timeout; bookmarks come about once a minute.
_WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10, sock_read=330)
_WATCH_SECONDS = 300
_POD_TIMEOUT = aiohttp.ClientTimeout(total=2)
_PAGE = 50


class Client:
    """Reads and writes objects. Every method raises ApiError, never an aiohttp error."""

    def __init__(self, login: kopf.ConnectionInfo) -> None:
        self._login = login
        self._server = login.server.rstrip("/")
        self.writes: dict[tuple[str, str], int] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=_ssl_context(login), limit=64, ttl_dns_cache=60),
            auth=_basic(login),
            headers={"User-Agent": "hune-operator", "Accept": "application/json"},
        )

    async def __aenter__(self) -> Self:
        """Use the client as a context; it closes its session at the end."""
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        """Return one object."""
        return await self._call("GET", resource.path(namespace, name))

    async def find(self, resource: Resource, namespace: str, name: str) -> dict[str, Any] | None:
        """Return one object or None, with the right to list that following takes anyway."""
        query = {"fieldSelector": f"metadata.name={name}"}
        found = await self._call("GET", resource.path(namespace), query)
        # Items of a list carry neither.
        kind = {"apiVersion": resource.api_version, "kind": resource.kind}
        return next((kind | item for item in found["items"]), None)

    async def pages(
        self, resource: Resource, namespace: str | None, selector: str
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the pages of a list; each holds `items` and `metadata`."""
        query = {"limit": str(_PAGE), "labelSelector": selector}
        while True:
            page = await self._call("GET", resource.path(namespace), query)
            yield page
            query["continue"] = page["metadata"].get("continue", "")
            if not query["continue"]:
                return

    async def watch(
        self, resource: Resource, namespace: str | None, selector: str, version: str
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield watch events after a resource version, bookmarks included, until it times out."""
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "labelSelector": selector,
            "resourceVersion": version,
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        try:
            async with self._session.get(
                self._server + resource.path(namespace),
                params=query,
                headers=self._authorization(),
                timeout=_WATCH_TIMEOUT,
            ) as response:
                if response.status >= 400:  # noqa: PLR2004 any HTTP error
                    raise _error(response.status, await response.read())
                async for line in _lines(response.content):
                    yield orjson.loads(line)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(0, f"watching {resource.plural}: {error!r}") from error

    async def apply(
        self, resource: Resource, document: dict[str, Any], *, force: bool, sub: str = ""
    ) -> dict[str, Any]:
        """Apply the fields Hune owns, server-side.

        Args:
            resource: The resource of the document.
            document: Only the owned fields.
            force: Take over fields that others own; for objects that are Hune's own.
            sub: Subresource, such as `status`.
        """
        metadata = document["metadata"]
        query = {"fieldManager": names.FIELD_MANAGER, "force": str(force).lower()}
        path = resource.path(metadata["namespace"], metadata["name"], sub)
        self._count("apply", resource, sub)
        return await self._call("PATCH", path, query, document, _APPLY)

    async def create(self, resource: Resource, document: dict[str, Any]) -> dict[str, Any]:
        """Create an object; ConflictError when it exists."""
        self._count("create", resource)
        path = resource.path(document["metadata"]["namespace"])
        return await self._call("POST", path, {"fieldManager": names.FIELD_MANAGER}, document)

    async def review(self, resource: Resource, spec: dict[str, Any]) -> dict[str, Any]:
        """Ask a question that the API server answers at once and does not keep.

        Returns:
            The answer's status.
        """
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
        reviewed = await self._call("POST", resource.path(), body=body)
        status: dict[str, Any] = reviewed.get("status", {})
        return status

    async def replace(self, resource: Resource, document: dict[str, Any]) -> dict[str, Any]:
        """Replace an object; ConflictError when its resource version is not the newest."""
        self._count("update", resource)
        metadata = document["metadata"]
        path = resource.path(metadata["namespace"], metadata["name"])
        return await self._call("PUT", path, {"fieldManager": names.FIELD_MANAGER}, document)

    async def annotate(
        self, resource: Resource, namespace: str, name: str, annotations: dict[str, str]
    ) -> None:
        """Set annotations of an object."""
        self._count("patch", resource)
        body = {"metadata": {"annotations": annotations}}
        await self._call("PATCH", resource.path(namespace, name), {}, body, _MERGE)

    async def delete(self, resource: Resource, namespace: str, name: str, uid: str) -> None:
        """Delete exactly the object with this uid, its dependents in the background."""
        self._count("delete", resource)
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        await self._call("DELETE", resource.path(namespace, name), {}, body)

    async def ask_pod(self, pod: Mapping[str, Any], port: int, path: str) -> bytes:
        """Return what a pod answers to a GET: directly in the cluster, else by the API server."""
        metadata = pod["metadata"]
        if _in_cluster():
            url, headers = f"http://{_host(pod)}:{port}{path}", {}
        else:
            place = f"namespaces/{metadata['namespace']}/pods/{metadata['name']}:{port}/proxy"
            url, headers = f"{self._server}/api/v1/{place}{path}", self._authorization()
        try:
            async with self._session.get(url, headers=headers, timeout=_POD_TIMEOUT) as response:
                payload = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ApiError(0, f"pod {metadata['name']}: {error!r}") from error
        if response.status >= 400:  # noqa: PLR2004 any HTTP error
            raise ApiError(response.status, f"pod {metadata['name']}: {path}")
        return payload

    async def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        headers = self._authorization() | {"Content-Type": content_type}
        try:
            async with self._session.request(
                method,
                self._server + path,
                params=query,
                data=None if body is None else orjson.dumps(body),
                headers=headers,
                timeout=_TIMEOUT,
            ) as response:
                payload = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(0, f"{method} {path}: {error!r}") from error
        if response.status >= 400:  # noqa: PLR2004 any HTTP error
            raise _error(response.status, payload)
        document: dict[str, Any] = orjson.loads(payload)
        return document

    def _authorization(self) -> dict[str, str]:
        # A projected ServiceAccount token is rotated in place; reading 1 KiB is cheaper than a 401.
        token = self._login.token
        if token and _TOKEN_FILE.exists():
            token = _TOKEN_FILE.read_text().strip()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _count(self, verb: str, resource: Resource, sub: str = "") -> None:
        key = (verb, f"{resource.plural}/{sub}" if sub else resource.plural)
        self.writes[key] = self.writes.get(key, 0) + 1


def _in_cluster() -> bool:
    return _TOKEN_FILE.exists()


def _host(pod: Mapping[str, Any]) -> str:
    address: str = pod["status"].get("podIP", "")
    return f"[{address}]" if ":" in address else address


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Split a stream at newlines without aiohttp's limit on a line's length."""
    buffer = bytearray()
    async for chunk in stream.iter_any():
        buffer += chunk
        *lines, rest = buffer.split(b"\n")
        buffer = bytearray(rest)
        for line in lines:
            yield bytes(line)


def _error(status: int, payload: bytes) -> ApiError:
    try:
        message = str(orjson.loads(payload)["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        message = payload[:200].decode(errors="replace")
    return _ERRORS.get(status, ApiError)(status, message)


def _basic(login: kopf.ConnectionInfo) -> aiohttp.BasicAuth | None:
    if login.username and login.password:
        return aiohttp.BasicAuth(login.username, login.password)
    return None


def _ssl_context(login: kopf.ConnectionInfo) -> ssl.SSLContext | bool:
    if not login.server.startswith("https"):
        return False
    authority = b64decode(login.ca_data).decode() if login.ca_data else None
    context = ssl.create_default_context(cafile=_text(login.ca_path), cadata=authority)
    if login.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if login.certificate_path:
        context.load_cert_chain(_text(login.certificate_path) or "", _text(login.private_key_path))
    elif login.certificate_data and login.private_key_data:
        _load_chain(context, login.certificate_data, login.private_key_data)
    return context


def _load_chain(context: ssl.SSLContext, certificate: str | bytes, key: str | bytes) -> None:
    # The ssl module loads a client certificate from a file only.
    with NamedTemporaryFile(suffix=".pem") as file:
        file.write(b64decode(certificate) + b"\n" + b64decode(key))
        file.flush()
        context.load_cert_chain(file.name)


def _text(path: object) -> str | None:
    return None if path is None else str(path)
