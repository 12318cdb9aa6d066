"""What runs beside and around a model."""

import os

# onnxruntime counts its sessions and sends that to its makers, unless told before it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
