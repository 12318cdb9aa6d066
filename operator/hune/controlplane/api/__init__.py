"""One module per kind: spec, status and condition types as pydantic models."""
