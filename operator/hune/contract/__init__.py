"""The few words both wings share: names, settings of a guard, ids, digests. Standard library only."""
