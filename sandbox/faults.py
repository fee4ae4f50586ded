"""What goes wrong on purpose: rules that match requests and say how the network misbehaves."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from typing import Any

EFFECTS: dict[str, str] = {
    "latency": "wait latency_ms (+ up to jitter_ms) before doing anything",
    "rate_limit": "429 with Retry-After of retry_after_s, as seconds or as an HTTP date (form)",
    "server_error": "answer status (500); store = true carries the request out first",
    "drop_before": "close the connection before doing anything",
    "drop_after_accept": "carry the request out, then close the connection without an answer",
    "hang_after_accept": "carry the request out, then answer only after hang_s seconds",
    "html": "an HTML page instead of JSON (status); store = false does not carry the request out",
    "malformed_json": "JSON cut off in the middle (status); store = false as above",
    "slow_media": "media or container of this request take processing_s seconds",
    "broken_media": "media or container of this request end in an error, after processing_s seconds",
    "token_death": "kill the account's tokens (which = access, refresh or both) and answer 401",
}


@dataclass(slots=True)
class Rule:
    """``account`` empty = every account; ``endpoints`` empty = every endpoint kind;
    ``times`` None = until it is removed."""

    id: int
    effect: str
    account: str = ""
    endpoints: frozenset[str] = frozenset()
    probability: float = 1.0
    times: int | None = None
    params: dict[str, Any] = field(default_factory=dict)
    fired: int = 0

    def number(self, name: str, default: float) -> float:
        return float(self.params.get(name, default))

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "effect": self.effect,
            "account": self.account,
            "endpoints": sorted(self.endpoints),
            "probability": self.probability,
            "times": self.times,
            "params": self.params,
            "fired": self.fired,
        }


class InvalidRule(ValueError):
    """The rule cannot be understood; the message says why."""


class Faults:
    """Rules in the order they were added. All latencies that match add up; of the other effects the
    first that fires wins. Chance comes from one seeded generator."""

    def __init__(self, seed: int = 1) -> None:
        self.rules: list[Rule] = []
        self._ids = itertools.count(1)
        self.random = random.Random(seed)

    def add(self, spec: dict[str, Any], *, endpoints: frozenset[str]) -> Rule:
        """Raises InvalidRule. ``endpoints``: the kinds that exist."""
        effect = spec.get("effect")
        if effect not in EFFECTS:
            raise InvalidRule(f"effect must be one of {', '.join(EFFECTS)}")
        wanted = spec.get("endpoint") or spec.get("endpoints") or []
        kinds = frozenset([wanted] if isinstance(wanted, str) else wanted) - {"all"}
        if kinds - endpoints:
            raise InvalidRule(f"unknown endpoint {', '.join(sorted(kinds - endpoints))}")
        times = spec.get("times")
        known = {"effect", "endpoint", "endpoints", "account", "probability", "times"}
        try:
            rule = Rule(
                id=next(self._ids),
                effect=effect,
                account=str(spec.get("account") or "").lstrip("@").lower(),
                endpoints=kinds,
                probability=float(spec.get("probability", 1.0)),
                times=None if times is None else int(times),
                params={name: value for name, value in spec.items() if name not in known},
            )
        except (TypeError, ValueError) as error:
            raise InvalidRule(str(error)) from error
        self.rules.append(rule)
        return rule

    def clear(self, rule_id: int | None = None) -> int:
        """Remove one rule or all; returns how many went."""
        before = len(self.rules)
        self.rules = [rule for rule in self.rules if rule_id is not None and rule.id != rule_id]
        return before - len(self.rules)

    def fire(self, account: str, endpoint: str) -> tuple[float, Rule | None]:
        """(seconds of latency, the rule that applies besides) for one request."""
        latency_s, chosen = 0.0, None
        for rule in self.rules:
            if (
                (rule.account and rule.account != account)
                or (rule.endpoints and endpoint not in rule.endpoints)
                or (rule.times is not None and rule.fired >= rule.times)
                or (chosen is not None and rule.effect != "latency")
                or (rule.probability < 1 and self.random.random() >= rule.probability)
            ):
                continue
            rule.fired += 1
            if rule.effect == "latency":
                latency_s += rule.number("latency_ms", 1000) / 1000
                latency_s += self.random.random() * rule.number("jitter_ms", 0) / 1000
            else:
                chosen = rule
        return latency_s, chosen
