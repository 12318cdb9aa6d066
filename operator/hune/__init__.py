"""Hune: a Kubernetes operator that makes models on KServe watched."""

__version__ = "0.1.0"
