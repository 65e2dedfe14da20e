"""Decides how many replicas there shall be, as KEDA and Kubernetes' autoscaler do with `deploy/k8s/components/keda`."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class ScaleRule:
    """For one kind of replica."""

    least: int
    most: int
    per_replica: float
    """Work for which one is wanted."""
    scale_down_seconds: float
    """Over which the largest wish counts."""
    to_zero_seconds: float
    """Without any work, after which `least` are enough at once."""
    period_seconds: float
    """In which the number changes by as much as the next three say."""
    factor: float = 2.0
    """It grows to as many times what it was."""
    more: int = 1
    """And by so many anyhow."""
    fewer: float = math.inf
    """It falls by so many at most."""


class Scaling:
    """Remembers wishes and numbers of the recent past. Asked in the order of time."""

    def __init__(self, rule: ScaleRule) -> None:
        self._rule = rule
        self._wishes: deque[tuple[float, int]] = deque()
        self._numbers: deque[tuple[float, int]] = deque()
        self._worked_at = 0.0

    @property
    def is_fixed(self) -> bool:
        """Whether there is nothing to decide."""
        return self._rule.least == self._rule.most

    def wanted(self, now: float, work: int, current: int) -> int:
        """How many there shall be for so much work, where there are `current`."""
        rule = self._rule
        if work:
            self._worked_at = now
        elif now - self._worked_at >= rule.to_zero_seconds:
            return min(rule.least, current)
        wish = max(math.ceil(work / rule.per_replica), rule.least, 1)
        _forget(self._wishes, now - rule.scale_down_seconds)
        self._wishes.append((now, wish))
        if not current:
            # KEDA itself brings the first, and the autoscaler the others.
            return min(max(rule.least, 1), rule.most) if work else 0
        _forget(self._numbers, now - rule.period_seconds)
        self._numbers.append((now, current))
        if wish > current:
            before = min(number for _, number in self._numbers)
            return min(wish, rule.most, max(math.floor(before * rule.factor), before + rule.more, current))
        steady = max(wish for _, wish in self._wishes)
        before = max(number for _, number in self._numbers)
        return min(current, max(steady, math.ceil(before - rule.fewer) if rule.fewer < math.inf else 0))


def _forget(past: deque[tuple[float, int]], before: float) -> None:
    while past and past[0][0] < before:
        past.popleft()
