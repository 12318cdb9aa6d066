"""Many objects at once through the API: creating, counting as they appear, deleting."""

import asyncio
import json
import ssl
import time
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from tempfile import NamedTemporaryFile
from typing import Any

import aiohttp
import yaml

from tests.cluster import Cluster

METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
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
        context.load_verify_locations(cadata=b64decode(server["certificate-authority-data"]).decode())
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
    session: aiohttp.ClientSession, kind: str, documents: list[dict[str, Any]], at_once: int = 32
) -> None:
    """Create documents, some at a time."""
    gate = asyncio.Semaphore(at_once)

    async def create(document: dict[str, Any]) -> None:
        url = path(kind, document["metadata"]["namespace"])
        async with gate, session.post(url, json=document) as response:
            if response.status != 201:
                raise RuntimeError(f"{response.status}: {await response.text()}")

    await asyncio.gather(*(create(document) for document in documents))


async def count_until(
    session: aiohttp.ClientSession, kind: str, namespace: str, wanted: int, seconds: float
) -> float:
    """Watch a collection's metadata until so many objects exist; return the time of the last."""
    seen: set[str] = set()
    headers = {"Accept": METADATA_ONLY.replace("PartialObjectMetadataList", "PartialObjectMetadata")}
    end = time.monotonic() + seconds
    query = {"watch": "1", "timeoutSeconds": str(int(seconds))}
    async with session.get(path(kind, namespace), params=query, headers=headers) as response:
        response.raise_for_status()
        buffer = b""
        async for chunk in response.content.iter_any():
            buffer += chunk
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                event = json.loads(line)
                if event["type"] == "ADDED":
                    seen.add(event["object"]["metadata"]["name"])
            if len(seen) >= wanted:
                return time.monotonic()
            if time.monotonic() > end:
                break
    raise TimeoutError(f"{len(seen)} of {wanted} {kind}s after {seconds:.0f} s")


async def names(session: aiohttp.ClientSession, kind: str, namespace: str) -> list[str]:
    """Return the names in a collection."""
    async with session.get(path(kind, namespace), headers={"Accept": METADATA_ONLY}) as response:
        page = await response.json(content_type=None)
    return [item["metadata"]["name"] for item in page["items"]]


async def delete_all(session: aiohttp.ClientSession, kind: str, namespace: str) -> None:
    """Delete a collection."""
    with suppress(aiohttp.ClientError):
        async with session.delete(path(kind, namespace)) as response:
            await response.read()
