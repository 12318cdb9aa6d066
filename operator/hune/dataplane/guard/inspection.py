"""What the guard makes of a request's rows: the data contract's verdict, then the detectors'."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final

from hune.contract.guard import GuardSettings
from hune.contract.state import GuardState
from hune.dataplane.guard.answers import Problem
from hune.dataplane.guard.contract_check import ContractCheck
from hune.dataplane.guard.finding import Finding
from hune.dataplane.guard.headers import Envelope
from hune.dataplane.guard.telemetry import Telemetry
from hune.dataplane.guard.upstream import Reply
from hune.dataplane.guard.watch import UnjudgedError, Watch
from hune.dataplane.wire.binary import LENGTH_HEADER, BadLengthError, json_length
from hune.dataplane.wire.layout import table_of
from hune.dataplane.wire.table import Table, TableError
from hune.dataplane.wire.tensor import WireError
from hune.dataplane.wire.v1_request import read_v1
from hune.dataplane.wire.v2_request import read_v2

# Judging so many rows takes about as long as answering a small request: others need not wait.
_ROWS_IN_PLACE: Final = 64
_UNPROCESSABLE: Final = 422

Ask = Callable[[], Coroutine[None, None, Reply]]


class Inspection:
    """The checks that a guard was told to make."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._contract: ContractCheck | None = None
        self._outliers = Watch(telemetry.outliers)
        self._closed = False

    def apply(self, settings: GuardSettings) -> None:
        """Take new settings."""
        contract = settings.data_contract
        count = self._telemetry.broke_contract
        self._contract = ContractCheck(contract, count) if contract is not None else None
        self._outliers.apply(settings.outliers)
        self._closed = settings.failure_policy == "Closed"

    @property
    def needed(self) -> bool:
        """Tell whether anything looks at rows."""
        return self._contract is not None or self._outliers.wanted

    @property
    def decides(self) -> bool:
        """Tell whether a detector may keep a request from the predictor."""
        return self._outliers.rejects or self._closed

    @property
    def state(self) -> GuardState:
        """Return which detectors cannot judge."""
        fault = self._outliers.fault
        return GuardState((fault,) if fault else ())

    @property
    def obstacle(self) -> str:
        """Return why no request can be answered at all; empty when they can.

        A detector that failed on a request may do better with the next one.
        """
        fault = self._outliers.fault
        if fault is None or self._outliers.loaded or not self._closed:
            return ""
        return f"{fault.detector}: {fault.message}"

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
        if not self.needed:
            return await ask(), ()
        table = read_table(protocol, body, envelope.read.get(LENGTH_HEADER))
        contract = self.check_contract(table)
        if not self._outliers.wanted:
            return await ask(), (contract,)
        if self.decides:
            verdict = await self.judge(table)
            return await ask(), (contract, verdict)
        asking = asyncio.ensure_future(ask())
        try:
            # The request is on its way to the predictor before its rows are judged here.
            await asyncio.sleep(0)
            verdict = await self.judge(table)
            return await asking, (contract, verdict)
        finally:
            asking.cancel()

    async def judge(self, table: Table) -> Finding:
        """Return the detectors' verdict.

        Raises:
            Problem: The request must not be answered.
        """
        try:
            if table.rows > _ROWS_IN_PLACE:
                finding = await asyncio.to_thread(self._outliers.inspect, table)
            else:
                finding = self._outliers.inspect(table)
        except UnjudgedError as error:
            return self._unjudged(error)
        return _unless_rejected(finding)

    def check_contract(self, table: Table) -> Finding:
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

    def _unjudged(self, error: UnjudgedError) -> Finding:
        if not self._closed:
            return Finding({"outlier_unjudged": f"{error.reason}: {error}"})
        if error.by_request:
            raise Problem(_UNPROCESSABLE, f"the outlier detector cannot judge this: {error}")
        raise Problem(503, f"the outlier detector cannot judge: {error.reason}: {error}")


def read_table(protocol: str, body: bytes, length: bytes | None) -> Table:
    """Return the rows of a prediction's request.

    Args:
        protocol: `V1` or `V2`.
        body: The whole body.
        length: Value of `Inference-Header-Content-Length`, if it was given.

    Raises:
        Problem: The body is not what the protocol says; the message names the place.
    """
    try:
        if protocol == "V1":
            return table_of(read_v1(body))
        return table_of(read_v2(body, json_length(length, len(body)) if length else None))
    except (WireError, TableError, BadLengthError) as error:
        raise Problem(400, str(error)) from None


def _unless_rejected(finding: Finding) -> Finding:
    if finding.rejected:
        raise Problem(_UNPROCESSABLE, finding.rejected, *finding.headers)
    return finding
