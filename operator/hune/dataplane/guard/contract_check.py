"""The data contract, as one check of the guard."""

from collections.abc import Callable, Mapping
from typing import Final

from hune.contract.features import DataContract
from hune.contract.names import HEADER_CONTRACT_BREACHES
from hune.dataplane.datacontract.checker import Checker
from hune.dataplane.datacontract.tally import Tally
from hune.dataplane.guard.finding import Finding
from hune.dataplane.wire.table import Table

_HEADER: Final = HEADER_CONTRACT_BREACHES.lower().encode()
_SHOWN: Final = 5
_NO_BREACH: Final = Finding({"contract_breaches": 0}, ((_HEADER, b"0"),))


class ContractCheck:
    """Says how the rows of a request break the contract of the model.

    Attributes:
        rejects: Whether a request that breaks it is not answered.
    """

    def __init__(
        self, contract: DataContract, count: Callable[[Mapping[tuple[str, str], int]], None]
    ) -> None:
        """Make the check.

        Args:
            contract: What the rows must look like.
            count: Told the breaches of every request by the contract's feature and by kind.
        """
        self._checker = Checker(contract)
        self.rejects = contract.on_breach == "Reject"
        self._count = count

    def inspect(self, table: Table) -> Finding:
        """Return the number of breaches and the first few of them in words."""
        tally = Tally(limit=_SHOWN, limit_of_one=1)
        self._checker.check(table, tally)
        if not tally.counts:
            return _NO_BREACH
        self._count(tally.counts)
        breaches = tally.breaches
        report = _in_words(tally)
        note = {"contract_breaches": breaches, "contract_report": report}
        rejected = ""
        if self.rejects:
            rejected = f"the request breaks the model's data contract ({breaches} times): {report}"
        return Finding(note, ((_HEADER, str(breaches).encode()),), rejected)


def _in_words(tally: Tally) -> str:
    text = "; ".join(map(str, tally.examples))
    more = tally.breaches - len(tally.examples)
    return f"{text}; and {more} more" if more > 0 else text
