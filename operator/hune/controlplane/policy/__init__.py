"""Chains of named checks that decide one condition each."""
