"""The `hune` command."""
