"""What the guard says of the model it guards: the OpenAPI document and the page made from it."""

import asyncio
import time
from typing import Final

import msgspec

from hune.contract.access import OPEN
from hune.contract.guard import GuardSettings
from hune.dataplane.guard.answers import JSON, Answer, Header
from hune.dataplane.guard.upstream import Pool, UpstreamError
from hune.dataplane.openapi.document import build_document
from hune.dataplane.openapi.page import POLICY, render_page
from hune.dataplane.openapi.subject import Subject
from hune.dataplane.openapi.tensor import Metadata, read_metadata
from hune.dataplane.wire.paths import Endpoint

_FRESH_SECONDS: Final = 60.0
# A predictor that said nothing is asked again sooner: it may just have been starting.
_RETRY_SECONDS: Final = 2.0
_TIMEOUT_SECONDS: Final = 1.5
_MAXIMUM_BODY: Final = 1 << 20
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

    def __init__(self, settings: GuardSettings) -> None:
        self._settings = settings
        self._pool = Pool(
            settings.predictor_port,
            maximum=1,
            timeout_seconds=_TIMEOUT_SECONDS,
            maximum_body=_MAXIMUM_BODY,
        )
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

    def close(self) -> None:
        """Close the connection to the predictor."""
        self._pool.close()

    async def _refresh(self) -> None:
        async with self._lock:
            if time.monotonic() < self._stale_at:
                return
            metadata = await self._ask()
            document = build_document(_subject(self._settings, metadata or Metadata()))
            self._document = msgspec.json.encode(document)
            self._page = render_page(document).encode()
            wait = _RETRY_SECONDS if metadata is None else _FRESH_SECONDS
            self._stale_at = time.monotonic() + wait

    async def _ask(self) -> Metadata | None:
        """Return what the predictor says of its model; None where it did not answer well."""
        if self._settings.protocol != "V2":
            return Metadata()
        head = (
            f"GET /v2/models/{self._settings.deployment} HTTP/1.1\r\n"
            f"host: localhost:{self._pool.port}\r\nuser-agent: hune-guard\r\n\r\n"
        )
        try:
            reply = await self._pool.request(head.encode())
        except UpstreamError:
            return None
        return read_metadata(reply.body) if reply.status == _OK else None


def _subject(settings: GuardSettings, metadata: Metadata) -> Subject:
    return Subject(
        deployment=settings.deployment,
        namespace=settings.namespace,
        model_version=settings.model_version,
        protocol=settings.protocol,
        contract=settings.data_contract,
        metadata=metadata,
        outliers=settings.outliers is not None,
        bearer=settings.access.mode != OPEN,
    )
