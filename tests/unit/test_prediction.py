from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from hune.contract.prediction import Mint, Origin, is_genuine, is_sampled

KEY = b"k" * 32
ORIGIN = Origin("income", "income-7")
NOW = 1_767_268_800_000_000_000


def test_an_id_is_a_uuid_of_version_7_that_tells_its_time() -> None:
    prediction = Mint(KEY, ORIGIN).new(sampled=True, now_ns=NOW)
    assert prediction.version == 7
    assert prediction.variant == "specified in RFC 4122"
    assert prediction.int >> 80 == NOW // 1_000_000


def test_an_id_tells_whether_it_is_sampled() -> None:
    mint = Mint(KEY, ORIGIN)
    assert is_sampled(mint.new(sampled=True))
    assert not is_sampled(mint.new(sampled=False))


def test_ids_are_unique_and_rise_also_when_the_clock_stands_or_steps_back() -> None:
    mint = Mint(KEY, ORIGIN)
    clock = [NOW] * 1500 + [NOW - 5_000_000_000] * 1500 + [NOW + 1_000_000] * 10
    ids = [mint.new(sampled=False, now_ns=now) for now in clock]
    assert len(set(ids)) == len(ids)
    order = [(i.int >> 80, i.int >> 64 & 0x1FF) for i in ids]
    assert order == sorted(order)
    assert all(is_genuine(i, KEY, ORIGIN) for i in ids)


def test_an_id_is_genuine_for_its_origin_and_key_only() -> None:
    prediction = Mint(KEY, ORIGIN).new(sampled=True)
    assert is_genuine(prediction, KEY, ORIGIN)
    assert not is_genuine(prediction, b"o" * 32, ORIGIN)
    for other in (
        Origin("outcome", "income-7"),
        Origin("income", "income-8"),
        Origin("income", "income-7", "candidate"),
        Origin("incomeincome-7", ""),
    ):
        assert not is_genuine(prediction, KEY, other)


@given(st.integers(0, 127), st.booleans())
def test_one_changed_bit_makes_an_id_forged(bit: int, sampled: bool) -> None:  # noqa: FBT001
    prediction = Mint(KEY, ORIGIN).new(sampled=sampled)
    assert not is_genuine(UUID(int=prediction.int ^ 1 << bit), KEY, ORIGIN)


@given(st.uuids())
def test_a_foreign_uuid_is_not_ours(foreign: UUID) -> None:
    assert not is_genuine(foreign, KEY, ORIGIN)
