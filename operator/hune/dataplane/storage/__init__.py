"""The initializer: it downloads an artefact and refuses a wrong digest."""
