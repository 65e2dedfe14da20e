"""Runs a trace against a policy, event by event; routing and slots are the platform's own code."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence

from headshots.routing.ranking import Tier
from headshots.simulation.dispatching import Dispatcher
from headshots.simulation.outcomes import Cost, OrderTimes, Outcome, hit_rates, waits
from headshots.simulation.policies import Policy
from headshots.simulation.queues import FairQueue
from headshots.simulation.replicas import Generator, Shot, State
from headshots.simulation.scaling import ScaleRule, Scaling
from headshots.simulation.service_times import ServiceTimes
from headshots.simulation.traces import Order
from headshots.simulation.trainers import Trainers, Training


class Simulation:
    """A platform that may run several traces one after another, each beginning where the last one ended."""

    def __init__(self, policy: Policy, times: ServiceTimes, *, seed: int = 0) -> None:
        self._policy, self._times = policy, times
        self._random = random.Random(seed)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._now = self._begin = 0.0
        self._shots: FairQueue[Shot] = FairQueue()
        self._adapters: Counter[str] = Counter()
        self._orders: list[OrderTimes] = []
        self._trace: Sequence[Order] = ()
        self._begun: Counter[Tier] = Counter()
        self._served: Counter[str] = Counter()
        self._dispatcher = Dispatcher(policy, self._random)
        self._generators: dict[str, Generator] = {}
        self._hours = self._painted = 0.0
        self._most = self._left = 0
        self._scaling = Scaling(_generator_rule(policy))
        self._is_polling = False
        self._trainers = Trainers(policy, times, self._random, self._at, self._trained)
        for _ in range(policy.min):
            self.add_generator(0.0)

    def run(self, trace: Sequence[Order]) -> Outcome:
        """Until the last order is done."""
        self._begin, self._trace, self._left = self._now, trace, len(trace)
        self._begun.clear()
        self._served = Counter(dict.fromkeys(self._generators, 0))
        self._orders = [OrderTimes(self._begin + order.at_seconds, order.images) for order in trace]
        for number, order in enumerate(trace):
            self._at(self._begin + order.at_seconds, lambda number=number: self._ordered(number))  # type: ignore[misc]
        while self._left:
            when, _, happen = heapq.heappop(self._events)
            self._dispatcher.tell_until(when)
            self._now = when
            happen()
        return self._outcome()

    def add_generator(self, cold_start_seconds: float) -> None:
        """One more, with nothing loaded."""
        alias = f"{self._random.getrandbits(64):016x}"
        generator = Generator(alias, self._policy, self._times, self._now, self._begun)
        self._generators[alias] = generator
        self._served[alias] = 0
        self._most = max(self._most, len(self._generators))
        if cold_start_seconds:
            # Gateways find it at their next look, which is half of the time between two away, on the mean.
            delay = cold_start_seconds + self._policy.generator_poll_seconds / 2
            self._at(self._now + delay, lambda: self._join(generator))
        else:
            self._join(generator)

    def _join(self, generator: Generator) -> None:
        if generator.state is State.STARTING:
            generator.state = State.READY
            self._dispatcher.join(generator)
            self._send()

    def _ordered(self, number: int) -> None:
        order = self._trace[number]
        if order.trains and self._times.training_seconds:
            self._trainers.add(Training(order.tenant, number), self._now)
        else:
            self._paint(number)

    def _trained(self, training: Training, started_at: float) -> None:
        order, times = self._trace[training.order], self._orders[training.order]
        times.training_at = started_at
        self._adapters[order.subject] += 1
        self._paint(training.order)

    def _paint(self, number: int) -> None:
        order = self._trace[number]
        if not order.images:
            self._done(self._orders[number])
            return
        adapter = f"{order.subject}/{self._adapters[order.subject]}"
        for _ in range(order.images):
            work = self._random.uniform(1 - self._times.spread, 1 + self._times.spread)
            self._shots.add(Shot(number, order.tenant, adapter, work))
        if not self._generators and not self._scaling.is_fixed:
            # The gateway tells KEDA at once.
            self._scale()
        if not self._is_polling and not self._scaling.is_fixed:
            self._is_polling = True
            self._at(self._now + self._policy.scale_poll_seconds, self._poll)
        self._send()

    def _send(self) -> None:
        """Gateways claim shots and send them, while they have room."""
        while len(self._shots) and (gateway := self._dispatcher.free_gateway()) is not None:
            shot = self._shots.take()
            generator = self._dispatcher.send(shot, gateway)
            seconds = generator.take(shot, self._now)
            self._served[generator.alias] += 1
            if seconds:
                self._at(self._now + seconds, lambda one=shot, at=generator: self._loaded(one, at))  # type: ignore[misc]
            else:
                self._loaded(shot, generator)

    def _loaded(self, shot: Shot, generator: Generator) -> None:
        generator.loaded(shot, self._now)
        self._foresee(generator)

    def _foresee(self, generator: Generator) -> None:
        version, ends_at = generator.version, generator.next_end()
        if ends_at is not None:
            self._at(ends_at, lambda: self._ended(generator, version))

    def _ended(self, generator: Generator, version: int) -> None:
        if version != generator.version:
            return
        shot = generator.end(self._now)
        self._foresee(generator)
        if self._times.overhead_seconds:
            self._at(self._now + self._times.overhead_seconds, lambda: self._delivered(shot))
        else:
            self._delivered(shot)
        if generator.state is State.LEAVING and not generator.requests:
            self._gone(generator)

    def _delivered(self, shot: Shot) -> None:
        self._dispatcher.delivered(shot)
        self._shots.done(shot)
        times = self._orders[shot.order]
        times.first_image_at = self._now if times.first_image_at is None else times.first_image_at
        times.left -= 1
        if not times.left:
            self._done(times)
        self._send()

    def _done(self, times: OrderTimes) -> None:
        times.done_at = self._now
        self._left -= 1

    def _poll(self) -> None:
        self._scale()
        self._is_polling = bool(self._shots.work) or len(self._generators) > self._policy.min
        if self._is_polling:
            self._at(self._now + self._policy.scale_poll_seconds, self._poll)

    def _scale(self) -> None:
        there = [one for one in self._generators.values() if one.state is not State.LEAVING]
        wanted = self._scaling.wanted(self._now, self._shots.work, len(there))
        for _ in range(wanted - len(there)):
            self.add_generator(self._policy.cold_start_seconds)
        # The cluster takes those first that are not ready yet, then those that have the least to do, by deletion costs.
        going = sorted(there, key=lambda one: (one.state is State.READY, one.requests))
        for generator in going[: max(len(there) - wanted, 0)]:
            generator.state = State.LEAVING
            self._dispatcher.leave(generator)
            if not generator.requests:
                self._gone(generator)

    def _gone(self, generator: Generator) -> None:
        del self._generators[generator.alias]
        self._hours += (self._now - generator.started_at) / 3600
        self._painted += generator.painted_seconds / 3600

    def _at(self, when: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), happen))

    def _outcome(self) -> Outcome:
        there = self._generators.values()
        hours = self._hours + sum(self._now - one.started_at for one in there) / 3600
        painted = self._painted + sum(one.painted_seconds for one in there) / 3600
        used = painted / (hours * self._policy.batch) if hours else 0.0
        generators = Cost(hours, hours * self._policy.price_per_hour, used, self._most)
        trainers = self._trainers.cost(self._now)
        images, seconds = sum(order.images for order in self._trace), self._now - self._begin
        cost = generators.price + trainers.price
        return Outcome(
            orders=len(self._trace),
            images=images,
            seconds=seconds,
            images_per_hour=images / seconds * 3600 if seconds else 0.0,
            until_training=waits(self._orders, "training_at"),
            until_first_image=waits(self._orders, "first_image_at"),
            until_done=waits(self._orders, "done_at"),
            hit_rates=hit_rates(self._begun),
            generators=generators,
            trainers=trainers,
            cost=cost,
            cost_per_order=cost / max(len(self._trace), 1),
            served=dict(self._served),
        )


def _generator_rule(policy: Policy) -> ScaleRule:
    return ScaleRule(
        policy.min,
        policy.max,
        policy.per_replica,
        policy.scale_down_seconds,
        policy.to_zero_seconds,
        period_seconds=60.0,
        fewer=1,
    )
