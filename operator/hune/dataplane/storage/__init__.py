"""The initializer: brings a model into the pod, or refuses it before anything loads it."""
