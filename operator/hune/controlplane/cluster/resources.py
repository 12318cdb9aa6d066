"""The API resources that Hune reads and writes, and their paths."""

from dataclasses import dataclass

from hune.contract import names


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the API server."""

    api_version: str
    kind: str
    plural: str

    def path(self, namespace: str | None = None, name: str | None = None, sub: str = "") -> str:
        """Return the URL path of the collection or of one object."""
        root = "/api/v1" if self.api_version == "v1" else f"/apis/{self.api_version}"
        parts = [root]
        if namespace is not None:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, sub) if part]
        return "/".join(parts)


MODEL_DEPLOYMENT = Resource(names.API_VERSION, "ModelDeployment", "modeldeployments")
MODEL_VERSION = Resource(names.API_VERSION, "ModelVersion", "modelversions")
INFERENCE_SERVICE = Resource("serving.kserve.io/v1beta1", "InferenceService", "inferenceservices")
SERVICE = Resource("v1", "Service", "services")
CONFIG_MAP = Resource("v1", "ConfigMap", "configmaps")
POD = Resource("v1", "Pod", "pods")
SECRET = Resource("v1", "Secret", "secrets")
EVENT = Resource("v1", "Event", "events")
NETWORK_POLICY = Resource("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
HTTP_ROUTE = Resource("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes")
PROMETHEUS_RULE = Resource("monitoring.coreos.com/v1", "PrometheusRule", "prometheusrules")
POD_MONITOR = Resource("monitoring.coreos.com/v1", "PodMonitor", "podmonitors")
DEPLOYMENT = Resource("apps/v1", "Deployment", "deployments")
LEASE = Resource("coordination.k8s.io/v1", "Lease", "leases")
TOKEN_REVIEW = Resource("authentication.k8s.io/v1", "TokenReview", "tokenreviews")
ACCESS_REVIEW = Resource("authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews")

# Followed by label, kept current by events.
CHILDREN = (INFERENCE_SERVICE, SERVICE, CONFIG_MAP, NETWORK_POLICY)
# Children too, where the Prometheus operator is installed.
MONITORING = (PROMETHEUS_RULE, POD_MONITOR)
BY_KIND = {
    resource.kind: resource
    for resource in (MODEL_DEPLOYMENT, MODEL_VERSION, *CHILDREN, *MONITORING, POD, HTTP_ROUTE)
}
