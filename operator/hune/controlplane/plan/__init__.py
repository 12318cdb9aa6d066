"""Pure planning: from a spec and what is observed to children, conditions and events."""
