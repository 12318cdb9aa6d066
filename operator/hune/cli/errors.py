"""The error a person can mend."""


class UserError(Exception):
    """What was asked cannot be done; the message says what to change."""
