"""One detector of the guard: loaded once, told how to judge at any time, honest when it cannot."""

import logging
from pathlib import Path
from typing import Final

from hune.contract.digest import digest_of
from hune.contract.guard import DetectorSettings
from hune.contract.names import REFUSED_FILE
from hune.contract.refusal import Refusal
from hune.contract.state import Detection, DetectorFault
from hune.dataplane.detectors.artefact import ArtefactError, MissingArtefactError
from hune.dataplane.detectors.detector import Detector, load_detector
from hune.dataplane.guard.detector_telemetry import DetectorTelemetry
from hune.dataplane.guard.finding import Finding
from hune.dataplane.guard.role import Role
from hune.dataplane.guard.verdict import DetectorCheck, TooSlowError
from hune.dataplane.wire.table import Table, TableError

_LOG: Final = logging.getLogger(__name__)
_CRASHED: Final = "DetectorFailed"
_SLOW: Final = "DetectorTooSlow"
# Each row has a score of its own in the answer.
_MAXIMUM_ROWS: Final = 1 << 16


class UnjudgedError(Exception):
    """A detector has no verdict.

    Attributes:
        reason: CamelCase word.
        by_request: Whether another request may well be judged.
    """

    def __init__(self, reason: str, message: str, *, by_request: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.by_request = by_request


class Watch:
    """The detector that a guard was told to use in one role, or why it cannot."""

    def __init__(self, role: Role, telemetry: DetectorTelemetry, seconds: float) -> None:
        """Begin without a detector.

        Args:
            role: The part that it plays.
            telemetry: Where to count.
            seconds: How long judging the rows of one request may take.
        """
        self.role = role
        self._telemetry = telemetry
        self._seconds = seconds
        self._settings: DetectorSettings | None = None
        self._detector: Detector | None = None
        self._check: DetectorCheck | None = None
        self.fault: DetectorFault | None = None

    @property
    def wanted(self) -> bool:
        """Tell whether the guard was told to use a detector."""
        return self._settings is not None

    @property
    def loaded(self) -> bool:
        """Tell whether there is a detector to judge with."""
        return self._detector is not None

    @property
    def detection(self) -> Detection:
        """Return how many rows were flagged lately."""
        return Detection(self.role.name, self._telemetry.recent.count())

    @property
    def rejects(self) -> bool:
        """Tell whether a flagged request is not answered."""
        return self._settings is not None and self._settings.on_detect == "Reject"

    def apply(self, settings: DetectorSettings | None) -> None:
        """Take new settings; an artefact that stays the same is not loaded again."""
        former, self._settings = self._settings, settings
        if settings is None:
            self._detector = self._check = self.fault = None
            return
        if former is None or (former.path, former.digest) != (settings.path, settings.digest):
            self._load(settings)
        if self._detector is not None:
            threshold = float(settings.threshold) if settings.threshold else None
            self._check = DetectorCheck(
                self.role,
                self._detector,
                settings.on_detect,
                self._telemetry,
                threshold,
                self._seconds,
            )

    def inspect(self, table: Table) -> Finding:
        """Return the verdict on the rows.

        Raises:
            UnjudgedError: There is none.
        """
        if self._check is None:
            fault = self.fault or DetectorFault(self.role.name, _CRASHED, "it is not loaded")
            raise UnjudgedError(fault.reason, fault.message)
        if table.rows > _MAXIMUM_ROWS:
            self._telemetry.failed("Table")
            what = f"the request has {table.rows} rows, {_MAXIMUM_ROWS} are judged at once"
            raise UnjudgedError("TooManyRows", f"{what}; send smaller batches", by_request=True)
        try:
            finding = self._check.inspect(table)
        except TableError as error:
            raise UnjudgedError("ColumnsDiffer", str(error), by_request=True) from None
        except TooSlowError as error:
            self._report(_SLOW, str(error))
            raise UnjudgedError(_SLOW, str(error), by_request=True) from None
        except Exception as error:  # noqa: BLE001 a detector's fault is not the request's
            what = f"failed on a request ({type(error).__name__}); see the guard's log"
            self._report(_CRASHED, f"the detector {what}", error)
            raise UnjudgedError(_CRASHED, "the detector failed; the guard's log says why") from None
        self.fault = None
        return finding

    def _load(self, settings: DetectorSettings) -> None:
        self._detector = self._check = self.fault = None
        place = Path(settings.path)
        try:
            self._refuse_unfit(settings, place)
            if self.fault is None:
                self._detector = load_detector(place)
        except (FileNotFoundError, MissingArtefactError):
            self._fail(settings, "SourceNotFound", "no artefact is there; check the uri", "Missing")
        except (ArtefactError, ValueError, OSError) as error:
            advice = "fit it again with `hune fit`"
            self._fail(settings, "ArtefactInvalid", f"{error}; {advice}", "Unusable")

    def _refuse_unfit(self, settings: DetectorSettings, place: Path) -> None:
        word = place / REFUSED_FILE
        refusal = Refusal.from_json(word.read_text()) if word.is_file() else None
        if refusal is not None:
            kind = "Missing" if refusal.reason == "SourceNotFound" else "Unusable"
            self._fault(refusal.reason, refusal.message, kind)
            return
        found = digest_of(place)
        if found != settings.digest:
            what = f"its digest is {found}, wanted is {settings.digest}; restore the artefact, or"
            self._fail(settings, "DigestMismatch", f"{what} set the digest of this one", "Unusable")

    def _report(self, reason: str, message: str, error: Exception | None = None) -> None:
        """Tell of a failure on one request until the next verdict."""
        if self.fault is None:
            # Once for a run of failures: a log line per request would drown all others.
            _LOG.error("%s: %s: %s", self.role.name, reason, message, exc_info=error)
        self.fault = DetectorFault(self.role.name, reason, message)

    def _fail(self, settings: DetectorSettings, reason: str, what: str, kind: str) -> None:
        self._fault(reason, f"{settings.uri}: {what}", kind)

    def _fault(self, reason: str, message: str, kind: str) -> None:
        _LOG.error("%s: %s: %s", self.role.name, reason, message)
        self._telemetry.failed(kind)
        self.fault = DetectorFault(self.role.name, reason, message)
