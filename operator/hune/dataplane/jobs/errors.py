"""What a person can mend about a job."""


class JobError(ValueError):
    """A job cannot be done as asked; the message says what to change."""


class ConversionError(JobError):
    """A model cannot be converted as asked; the message says what to change."""


class FitError(JobError):
    """A detector cannot be fitted as asked; the message says what to change."""


class DataError(FitError):
    """The data are not usable; the message names the file, the column and the line."""


class MissingPackageError(FitError):
    """A package of the job's image is not installed here."""
