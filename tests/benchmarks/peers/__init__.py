"""The servers that the guard is compared with; each runs in an environment of its own."""
