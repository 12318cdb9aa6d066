"""Many objects at once through the API: creating, counting as they appear, deleting."""

import asyncio
import json
import ssl
import time
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import NamedTemporaryFile
from typing import Any

import aiohttp
import yaml

from tests.benchmarks.operator_process import OperatorProcess
from tests.cluster import Cluster

Document = dict[str, Any]
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PATHS = {
    "ModelDeployment": ("hune.dev/v1alpha1", "modeldeployments"),
    "ModelVersion": ("hune.dev/v1alpha1", "modelversions"),
    "InferenceService": ("serving.kserve.io/v1beta1", "inferenceservices"),
    "Deployment": ("apps/v1", "deployments"),
}


def path(kind: str, namespace: str) -> str:
    """Return the path of a collection."""
    version, plural = PATHS[kind]
    return f"/apis/{version}/namespaces/{namespace}/{plural}"


@asynccontextmanager
async def connect(cluster: Cluster) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session as the cluster's administrator."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    server, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context()
    if "certificate-authority-data" in server:
        context.load_verify_locations(
            cadata=b64decode(server["certificate-authority-data"]).decode()
        )
    elif "certificate-authority" in server:
        context.load_verify_locations(cafile=server["certificate-authority"])
    headers = {"User-Agent": "hune-benchmark"}
    if "token" in user:
        headers["Authorization"] = f"Bearer {user['token']}"
    else:
        _load_certificate(context, user)
    connector = aiohttp.TCPConnector(ssl=context, limit=64)
    async with aiohttp.ClientSession(
        server["server"],
        connector=connector,
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
    ) as session:
        yield session


def _load_certificate(context: ssl.SSLContext, user: dict[str, str]) -> None:
    if "client-certificate" in user:
        context.load_cert_chain(user["client-certificate"], user["client-key"])
        return
    with NamedTemporaryFile(suffix=".pem") as file:
        file.write(b64decode(user["client-certificate-data"]) + b64decode(user["client-key-data"]))
        file.flush()
        context.load_cert_chain(file.name)


async def create_all(
    session: aiohttp.ClientSession, kind: str, documents: list[Document], at_once: int = 32
) -> None:
    """Create documents, some at a time."""
    gate = asyncio.Semaphore(at_once)

    async def create(document: Document) -> None:
        url = path(kind, document["metadata"]["namespace"])
        async with gate, session.post(url, json=document) as response:
            if response.status != 201:
                raise RuntimeError(f"{response.status}: {await response.text()}")

    await asyncio.gather(*(create(document) for document in documents))


async def follow(
    session: aiohttp.ClientSession,
    kind: str,
    namespace: str,
    wanted: int,
    seconds: float = 600,
) -> tuple[float, float]:
    """Watch a collection until so many objects exist; return when the first and last came."""
    seen: set[str] = set()
    first = 0.0
    query = {"watch": "1", "timeoutSeconds": str(int(seconds))}
    headers = {"Accept": METADATA_ONLY}
    async with session.get(path(kind, namespace), params=query, headers=headers) as response:
        response.raise_for_status()
        async for name in _added(response):
            first = first or time.monotonic()
            seen.add(name)
            if len(seen) >= wanted:
                return first, time.monotonic()
    raise TimeoutError(f"{len(seen)} of {wanted} {kind}s after {seconds:.0f} s")


async def _added(response: aiohttp.ClientResponse) -> AsyncIterator[str]:
    buffer = b""
    async for chunk in response.content.iter_any():
        buffer += chunk
        *lines, buffer = buffer.split(b"\n")
        for event in map(json.loads, lines):
            if event["type"] == "ADDED":
                yield event["object"]["metadata"]["name"]


async def until_ready(
    session: aiohttp.ClientSession, namespace: str, wanted: int, seconds: float = 600
) -> None:
    """Wait until so many ModelDeployments are Ready."""
    end = time.monotonic() + seconds
    while True:
        async with session.get(path("ModelDeployment", namespace)) as response:
            page = await response.json(content_type=None)
        ready = sum(_is_ready(item) for item in page["items"])
        if ready >= wanted:
            return
        if time.monotonic() > end:
            raise TimeoutError(f"{ready} of {wanted} ModelDeployments Ready after {seconds:.0f} s")
        await asyncio.sleep(1)


async def until_leading(session: aiohttp.ClientSession, operator: OperatorProcess) -> None:
    """Wait until the operator holds its Lease."""
    url = "/apis/coordination.k8s.io/v1/namespaces/hune-system/leases/hune-operator"
    for _ in range(300):
        async with session.get(url) as response:
            if response.status == 200 and (await response.json())["spec"]["holderIdentity"]:
                return
        if not operator.alive():
            break
        await asyncio.sleep(0.1)
    raise RuntimeError("the operator does not lead; see its log")


def _is_ready(item: Document) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
