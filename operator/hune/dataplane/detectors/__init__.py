"""Fitted detectors, scored with numpy alone: what the guard needs of them, no more."""
