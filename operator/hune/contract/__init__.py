"""The few words both wings share: names, guard settings, ids, digests. Standard library only."""
