"""Where the API server is, and who we are there."""

import os

import kopf
import yaml

from hune.controlplane.errors import NoClusterError

_FIX = "set KUBECONFIG to a kubeconfig of the cluster"


def login(settings: kopf.OperatorSettings) -> kopf.ConnectionInfo:
    """Find the API server: in a pod by its ServiceAccount, elsewhere by KUBECONFIG.

    Args:
        settings: kopf's, for its networking part.

    Raises:
        NoClusterError: Neither is there, or what is there cannot be read.
    """
    try:
        for method in (kopf.login_with_service_account, kopf.login_with_kubeconfig):
            found = method(settings=settings)
            if found is not None:
                return found
    except OSError as error:
        raise NoClusterError(f"kubeconfig {error.filename}: {error.strerror}; {_FIX}") from None
    except (yaml.YAMLError, kopf.LoginError, LookupError, TypeError, AttributeError) as error:
        named = os.environ.get("KUBECONFIG") or "~/.kube/config"
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise NoClusterError(f"{named} is no kubeconfig: {said}; {_FIX}") from None
    raise NoClusterError(f"not in a pod, and there is no kubeconfig; {_FIX}")
