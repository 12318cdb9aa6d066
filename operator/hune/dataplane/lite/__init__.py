"""The Lite profile: the guard and an ONNX model in one process, for small machines."""
