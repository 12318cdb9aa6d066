"""V1 and V2 inference payloads, pure."""
