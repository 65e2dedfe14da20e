"""Slots and byte-bounded caches: least recently used goes first, what is in use stays."""

from __future__ import annotations

from collections import OrderedDict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from headshots.caching.lru import ByteLru
from headshots.caching.slots import SlotTable

ADAPTERS = "abcdefg"
SLOTS = 4


class SlotMachine(RuleBasedStateMachine):
    """Any order of pins, unpins and evictions, against what the bank's slots would then hold."""

    def __init__(self) -> None:
        super().__init__()
        self.table = SlotTable(SLOTS)
        self.bank: dict[int, str] = {}
        self.pins: list[tuple[str, int]] = []

    @rule(adapter=st.sampled_from(ADAPTERS))
    def pin(self, adapter: str) -> None:
        found = self.table.pin(adapter)
        if found is None:
            assert len({name for name, _ in self.pins}) == SLOTS - 1, "refused only when every slot is pinned"
            return
        slot, fresh = found
        assert 1 <= slot < SLOTS
        if fresh:
            assert all(slot != used for _, used in self.pins), "no slot in use is ever overwritten"
            self.bank[slot] = adapter
        self.pins.append((adapter, slot))

    @rule(data=st.data())
    def unpin(self, data: st.DataObject) -> None:
        if self.pins:
            pin = data.draw(st.sampled_from(self.pins))
            self.pins.remove(pin)
            self.table.unpin(pin[0])

    @rule(adapter=st.sampled_from(ADAPTERS))
    def evict(self, adapter: str) -> None:
        if not self.table.pinned(adapter):
            slot = self.table.evict(adapter)
            if slot is not None:
                assert self.bank.pop(slot) == adapter
            assert adapter not in self.table

    @invariant()
    def rows_see_their_own_subject(self) -> None:
        for adapter, slot in self.pins:
            assert self.bank[slot] == adapter
            assert self.table.slot(adapter) == slot
        assert len(self.table) == len(self.bank) < SLOTS


TestSlots = SlotMachine.TestCase
TestSlots.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_the_least_recently_used_slot_is_taken() -> None:
    table = SlotTable(3)
    for adapter in "ab":
        table.pin(adapter)
        table.unpin(adapter)
    table.pin("a")
    table.unpin("a")
    assert table.pin("c") is not None
    assert "b" not in table
    assert "a" in table


class LruMachine(RuleBasedStateMachine):
    """A byte-bounded cache against a plain model of it."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = ByteLru(10)
        self.model: OrderedDict[str, int] = OrderedDict()

    @rule(name=st.sampled_from(ADAPTERS), size=st.integers(1, 12))
    def add(self, name: str, size: int) -> None:
        gone = self.cache.add(name, size)
        self.model.pop(name, None)
        self.model[name] = size
        expected = []
        while sum(self.model.values()) > 10 and len(self.model) > 1:
            expected.append(self.model.popitem(last=False)[0])
        assert gone == expected

    @rule(name=st.sampled_from(ADAPTERS))
    def touch(self, name: str) -> None:
        if name in self.cache:
            self.cache.touch(name)
            self.model.move_to_end(name)

    @rule(name=st.sampled_from(ADAPTERS))
    def remove(self, name: str) -> None:
        assert self.cache.remove(name) == (self.model.pop(name, None) is not None)

    @invariant()
    def agrees(self) -> None:
        assert {name for name in ADAPTERS if name in self.cache} == set(self.model)
        assert self.cache.total == sum(self.model.values())


TestLru = LruMachine.TestCase
TestLru.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
