"""The cluster that the person's kubeconfig names."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kubernetes import client, config
from urllib3.exceptions import HTTPError

from hune.cli.errors import UserError
from hune.contract import names


@contextmanager
def connected() -> Iterator[client.ApiClient]:
    """Yield a client for the current context, or for the pod we run in.

    Raises:
        UserError: No cluster is configured or reachable, or it refuses what is asked.
    """
    try:
        config.load_config()  # type: ignore[no-untyped-call]
        with client.ApiClient() as api:
            yield api
    except config.ConfigException as error:
        raise UserError(f"no cluster is configured: {error}; set KUBECONFIG") from None
    except client.ApiException as error:
        raise UserError(f"the cluster refuses: {message_of(error)}") from None
    except HTTPError as error:
        raise UserError(f"the cluster does not answer: {error}") from None


def current_namespace() -> str:
    """Return the namespace of the current context."""
    try:
        _, context = config.list_kube_config_contexts()  # type: ignore[no-untyped-call]
    except config.ConfigException:
        return "default"
    return str(context["context"].get("namespace", "default"))


def apply(document: dict[str, Any], plural: str, manager: str) -> None:
    """Apply one of our objects server-side.

    Raises:
        UserError: The cluster refuses it.
    """
    metadata = document["metadata"]
    with connected() as api:
        client.CustomObjectsApi(api).patch_namespaced_custom_object(
            names.GROUP,
            names.VERSION,
            metadata["namespace"],
            plural,
            metadata["name"],
            document,
            field_manager=manager,
            _content_type="application/apply-patch+yaml",
        )


def message_of(error: client.ApiException) -> str:
    """Return what the API server said of an error."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return f"{error.status} {error.reason}"
