"""Names that both wings, the charts and the users see. Changing one is an API change."""

from typing import Final

GROUP: Final = "hune.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
FIELD_MANAGER: Final = "hune"
TOKEN_AUDIENCE: Final = GROUP

# Kubernetes caps a label value at 63; KServe's `isvc.<name>-<8 hex>-predictor` must fit.
MAXIMUM_NAME_LENGTH: Final = 39

LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_PART_OF: Final = "app.kubernetes.io/part-of"
LABEL_DEPLOYMENT: Final = f"{GROUP}/deployment"
LABEL_REVISION: Final = f"{GROUP}/revision"
MANAGED_BY: Final = "hune"

# KServe copies an InferenceService's annotations to its pods; the initializer reads this one
# through the downward API, so that one cluster-wide storage container serves every digest.
ANNOTATION_DIGESTS: Final = f"{GROUP}/digests"
# Touched on a pod so that kubelet syncs its ConfigMap volumes at once.
ANNOTATION_GUARD_CONFIGURATION: Final = f"{GROUP}/guard-configuration"

GUARD_CONTAINER: Final = "transformer-container"
EXPLAINER_CONTAINER: Final = "explainer"
PREDICTOR_CONTAINER: Final = "kserve-container"

GUARD_PORT: Final = 9000
EXPLAINER_PORT: Final = 9001
# What KServe adds to the name of a revision for the Service of its explainer, and of its predictor.
EXPLAINER_SUFFIX: Final = "-explainer"
PREDICTOR_SUFFIX: Final = "-predictor"
GUARD_PORT_NAME: Final = "http1"
PREDICTOR_PORT: Final = 8080
PREDICTOR_PORT_NAME: Final = "http-predictor"
SERVICE_PORT: Final = 80

MODEL_DIRECTORY: Final = "/mnt/models"
# What the guard needs beside the model. None of it keeps a pod from starting: the guard says what
# is amiss and follows its failure policy.
ARTEFACT_DIRECTORY: Final = "/mnt/hune"
EXPLAINER_DIRECTORY: Final = f"{ARTEFACT_DIRECTORY}/explainer"
REFUSED_FILE: Final = ".hune-refused.json"
GUARD_DIRECTORY: Final = "/etc/hune/guard"
GUARD_FILE: Final = "guard.json"
PREDICTION_KEY_DIRECTORY: Final = "/etc/hune/prediction-key"
PREDICTION_KEY_FILE: Final = "key"
PREDICTION_KEY_SECRET: Final = "hune-prediction-key"  # noqa: S105 a name, not a secret

HEADER_PREDICTION_ID: Final = "X-Hune-Prediction-Id"
HEADER_MODEL_VERSION: Final = "X-Hune-Model-Version"
HEADER_CONTRACT_BREACHES: Final = "X-Hune-Contract-Breaches"
# From guard to explainer: how many seconds the explanation may take.
HEADER_TIME_LIMIT: Final = "X-Hune-Time-Limit"

# JSON of wanted digests by uri; the initializer gets it from ANNOTATION_DIGESTS.
VARIABLE_DIGESTS: Final = "HUNE_DIGESTS"
