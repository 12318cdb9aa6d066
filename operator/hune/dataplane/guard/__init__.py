"""The ASGI sidecar in front of every predictor."""
