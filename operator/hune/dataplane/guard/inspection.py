"""What the guard makes of a request's rows: the data contract's verdict, then the detectors'."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from typing import Final

from hune.contract.guard import GuardSettings
from hune.contract.state import GuardState
from hune.dataplane.guard.answers import Problem
from hune.dataplane.guard.contract_check import ContractCheck
from hune.dataplane.guard.finding import Finding
from hune.dataplane.guard.headers import Envelope
from hune.dataplane.guard.reply import Reply
from hune.dataplane.guard.role import ADVERSARIAL, OUTLIERS, Role
from hune.dataplane.guard.telemetry import Telemetry
from hune.dataplane.guard.watch import UnjudgedError, Watch
from hune.dataplane.wire.array import MAXIMUM_NUMBERS
from hune.dataplane.wire.binary import LENGTH_HEADER, BadLengthError, json_length
from hune.dataplane.wire.layout import table_of
from hune.dataplane.wire.table import Table, TableError
from hune.dataplane.wire.tensor import WireError
from hune.dataplane.wire.v1_request import read_v1
from hune.dataplane.wire.v2_request import read_v2

# Judging so many rows takes about as long as answering a small request: others need not wait.
_ROWS_IN_PLACE: Final = 64
# Numbers take up to four times as much memory as their JSON: larger bodies are looked at in turn.
_BODY_BESIDE_OTHERS: Final = 1 << 18
_UNPROCESSABLE: Final = 422

Ask = Callable[[], Coroutine[None, None, Reply]]


class Inspection:
    """The checks that a guard was told to make.

    Attributes:
        decides: Whether one of them may keep a request from the predictor.
    """

    def __init__(self, telemetry: Telemetry, detector_seconds: float) -> None:
        """Begin without any check.

        Args:
            telemetry: Where to count.
            detector_seconds: How long a detector may take for the rows of one request.
        """
        self._telemetry = telemetry
        self._contract: ContractCheck | None = None
        self._watches = tuple(
            Watch(role, telemetry.detectors[role.name], detector_seconds)
            for role in (OUTLIERS, ADVERSARIAL)
        )
        self._wanted: list[Watch] = []
        self._closed = self.decides = False
        self._turn = asyncio.Lock()

    def apply(self, settings: GuardSettings) -> None:
        """Take new settings."""
        contract = settings.data_contract
        count = self._telemetry.broke_contract
        self._contract = ContractCheck(contract, count) if contract is not None else None
        for watch in self._watches:
            watch.apply(settings.detectors.get(watch.role.name))
        self._wanted = [watch for watch in self._watches if watch.wanted]
        self._closed = settings.failure_policy == "Closed"
        contract_rejects = self._contract is not None and self._contract.rejects
        rejects = contract_rejects or any(watch.rejects for watch in self._wanted)
        self.decides = rejects or self._closed

    @property
    def state(self) -> GuardState:
        """Return which detectors cannot judge, and which of them flagged rows lately."""
        detections = (watch.detection for watch in self._wanted)
        return GuardState(
            tuple(watch.fault for watch in self._wanted if watch.fault is not None),
            tuple(detection for detection in detections if detection.rows),
        )

    @property
    def obstacle(self) -> str:
        """Return why no request can be answered at all; empty when they can.

        A detector that failed on a request may do better with the next one.
        """
        if not self._closed:
            return ""
        blind = (watch.fault for watch in self._wanted if watch.fault and not watch.loaded)
        return "; ".join(f"{fault.detector}: {fault.message}" for fault in blind)

    async def accompany(
        self, ask: Ask, protocol: str, envelope: Envelope, body: bytes
    ) -> tuple[Reply, tuple[Finding, ...]]:
        """Return the predictor's answer to a request, and what the checks say of its rows.

        A check that may keep the request from being answered goes first; the others look while
        the predictor works.

        Args:
            ask: Asks the predictor.
            protocol: `V1` or `V2`.
            envelope: The request's headers.
            body: The request's body.

        Raises:
            Problem: The request must not be answered, or cannot be.
        """
        if self.decides:
            findings = await self._judge_in_turn(protocol, envelope, body)
            return await ask(), findings
        asking = asyncio.create_task(ask())
        asking.add_done_callback(_retrieve)
        try:
            await asyncio.sleep(0)  # the request is on its way before anything else is done here
            findings = await self._judge_in_turn(protocol, envelope, body)
            return await asking, findings
        finally:
            asking.cancel()

    async def _judge_in_turn(
        self, protocol: str, envelope: Envelope, body: bytes
    ) -> tuple[Finding, ...]:
        large = len(body) > _BODY_BESIDE_OTHERS
        async with self._turn if large else nullcontext():
            found = self.look(protocol, envelope, body)
            return await found if isinstance(found, asyncio.Future) else found

    def look(
        self, protocol: str, envelope: Envelope, body: bytes
    ) -> "tuple[Finding, ...] | asyncio.Future[tuple[Finding, ...]]":
        """Return what the checks say of a request's rows, later where there are many.

        The rows are in memory only as long as this takes.

        Args:
            protocol: `V1` or `V2`.
            envelope: The request's headers.
            body: The request's body.

        Raises:
            Problem: The request must not be answered; the future may raise it, too.
        """
        if self._contract is None and not self._wanted:
            return ()
        table = read_table(protocol, body, envelope.read.get(LENGTH_HEADER))
        breaches = self._check_contract(table)
        if not self._wanted:
            return (breaches,)
        if table.rows <= _ROWS_IN_PLACE:
            return breaches, *self._judge(table)
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(None, lambda: (breaches, *self._judge(table)))

    def _judge(self, table: Table) -> list[Finding]:
        return [self._ask_detector(watch, table) for watch in self._wanted]

    def _ask_detector(self, watch: Watch, table: Table) -> Finding:
        try:
            return _unless_rejected(watch.inspect(table))
        except UnjudgedError as error:
            return self._unjudged(watch.role, error)

    def _check_contract(self, table: Table) -> Finding:
        """Return the data contract's verdict.

        Raises:
            Problem: The request must not be answered.
        """
        if self._contract is None:
            return Finding()
        try:
            return _unless_rejected(self._contract.inspect(table))
        except TableError as error:
            raise Problem(400, str(error)) from None

    def _unjudged(self, role: Role, error: UnjudgedError) -> Finding:
        if not self._closed:
            return Finding({f"{role.word}_unjudged": f"{error.reason}: {error}"})
        if error.by_request:
            message = f"the {role.word} detector cannot judge this: {error}"
            raise Problem(_UNPROCESSABLE, message)
        raise Problem(503, f"the {role.word} detector cannot judge: {error.reason}: {error}")


def read_table(protocol: str, body: bytes, length: bytes | None) -> Table:
    """Return the rows of a prediction's request.

    Args:
        protocol: `V1` or `V2`.
        body: The whole body.
        length: Value of `Inference-Header-Content-Length`, if it was given.

    Raises:
        Problem: The body is not what the protocol says, the message names the place; or it has more
            values than there is memory for.
    """
    try:
        end = json_length(length, len(body)) if length else None
        # Several tensors may each have as many numbers as one may.
        if len(body) > 2 * MAXIMUM_NUMBERS and body.count(b",", 0, end) > MAXIMUM_NUMBERS:
            raise _too_many()
        table = table_of(read_v1(body) if protocol == "V1" else read_v2(body, end))
    except (WireError, TableError, BadLengthError) as error:
        raise Problem(400, str(error)) from None
    if table.size > MAXIMUM_NUMBERS:
        raise _too_many()
    return table


def _retrieve(asked: "asyncio.Task[Reply]") -> None:
    """Take note of an error that nobody waits for any more: the checks had one of their own."""
    if not asked.cancelled():
        asked.exception()


def _too_many() -> Problem:
    what = f"the request has more than {MAXIMUM_NUMBERS} values, as many as are looked at in one"
    return Problem(413, f"{what}; send smaller batches")


def _unless_rejected(finding: Finding) -> Finding:
    if finding.rejected:
        raise Problem(_UNPROCESSABLE, finding.rejected, *finding.headers)
    return finding
