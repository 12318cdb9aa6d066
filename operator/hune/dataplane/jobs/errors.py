"""What a person can mend about a fit."""


class FitError(ValueError):
    """A detector cannot be fitted as asked; the message says what to change."""


class DataError(FitError):
    """The data are not usable; the message names the file, the column and the line."""


class MissingPackageError(FitError):
    """A package of the image `fit` is not installed here."""
