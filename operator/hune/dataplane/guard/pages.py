"""What the guard says of the model it guards: the OpenAPI document and the page made from it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from hune.contract.access import OPEN
from hune.contract.guard import SELDON, GuardSettings
from hune.dataplane.guard.answers import JSON, Answer, Header
from hune.dataplane.openapi.document import build_document
from hune.dataplane.openapi.page import POLICY, render_page
from hune.dataplane.openapi.subject import Subject
from hune.dataplane.openapi.tensor import Metadata, read_metadata
from hune.dataplane.wire.paths import Endpoint

_FRESH_SECONDS: Final = 60.0
# A predictor that said nothing is asked again sooner: it may just have been starting.
_RETRY_SECONDS: Final = 2.0
_OK: Final = 200
_PAGE_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Pages:
    """Asks the predictor what its model takes, at most once a minute, and writes it down.

    Whatever the predictor answers, there is a document: without its help a poorer one.
    """

    def __init__(
        self, settings: GuardSettings, fetch_metadata: Callable[[], Awaitable[bytes]]
    ) -> None:
        self._settings = settings
        self._fetch_metadata = fetch_metadata
        self._lock = asyncio.Lock()
        self._stale_at = 0.0
        self._document = b""
        self._page = b""

    def is_meant_by(self, settings: GuardSettings) -> bool:
        """Tell whether these settings would say the same."""
        return self._settings == settings

    async def show(self, endpoint: Endpoint) -> Answer:
        """Return the OpenAPI document, or the page for people."""
        await self._refresh()
        if endpoint is Endpoint.PAGE:
            return Answer(_OK, list(_PAGE_HEADERS), self._page)
        return Answer(_OK, [JSON], self._document)

    async def _refresh(self) -> None:
        async with self._lock:
            if time.monotonic() < self._stale_at:
                return
            said = await self._fetch_metadata()
            metadata = read_metadata(said) if said else Metadata()
            document = build_document(_subject(self._settings, metadata))
            self._document = msgspec.json.encode(document)
            self._page = render_page(document).encode()
            silent = not said and self._settings.public_protocol == "V2"
            wait = _RETRY_SECONDS if silent else _FRESH_SECONDS
            self._stale_at = time.monotonic() + wait


def _subject(settings: GuardSettings, metadata: Metadata) -> Subject:
    return Subject(
        deployment=settings.deployment,
        namespace=settings.namespace,
        model_version=settings.model_version,
        protocol=settings.public_protocol,
        contract=settings.data_contract,
        metadata=metadata,
        outliers=settings.outliers is not None,
        adversarial=settings.adversarial is not None,
        bearer=settings.access.mode != OPEN,
        explained=settings.explainer is not None,
        takes_feedback=settings.protocol == SELDON,
    )
