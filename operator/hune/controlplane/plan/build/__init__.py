"""One pure builder per kind of child object."""
