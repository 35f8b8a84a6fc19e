"""A day's trade as a script: the same seed is the same day, and what it must come to can be reckoned without the product."""

import random
from dataclasses import dataclass, field
from typing import Any

CUSTOMERS = 60
VOIDS_PER_CENT, REFUNDS_PER_CENT, DROPS_PER_CENT = 10, 10, 5
#: An answer that nobody hears, and a request that never arrives whole.
DROPS = ("unheard", "cut")


@dataclass(frozen=True)
class Step:
    """One request of the till; ``drop`` says how its connection breaks, if it does."""

    kind: str
    credits: int = 0
    drop: str | None = None


@dataclass(frozen=True)
class Sale:
    """One sale: the customer's code is scanned, or (``shows``) the till shows one that the customer scans."""

    number: str
    customer: int
    credits: int
    shows: bool
    capture: bool
    steps: list[Step] = field(default_factory=list)

    @property
    def state(self) -> str:
        return "voided" if any(step.kind == "void" for step in self.steps) else "captured"

    @property
    def captured(self) -> int:
        if self.state == "voided":
            return 0
        parts = [step.credits for step in self.steps if step.kind == "capture"]
        return parts[0] if parts else self.credits

    @property
    def refunded(self) -> int:
        return sum(step.credits for step in self.steps if step.kind == "refund")

    @property
    def drops(self) -> int:
        return sum(step.drop is not None for step in self.steps)


def day_of_trade(seed: int, sales: int) -> list[Sale]:
    """The sales of a day, in the order in which they happen."""
    chance = random.Random(seed)
    numbers = list(range(sales))
    chance.shuffle(numbers)
    tenth, twentieth = sales * VOIDS_PER_CENT // 100, sales * DROPS_PER_CENT // 100
    voided, refunded = set(numbers[:tenth]), set(numbers[tenth : 2 * tenth])
    dropped = set(chance.sample(range(sales), twentieth))
    return [_sale(chance, number, number in voided, number in refunded, number in dropped) for number in range(sales)]


def _sale(chance: random.Random, number: int, voided: bool, refunded: bool, dropped: bool) -> Sale:
    credits = chance.randint(2, 30)
    later = voided or chance.random() < 0.15
    steps = [Step("charge", credits)]
    if voided:
        steps.append(Step("void"))
    elif later:
        steps.append(Step("capture", chance.randint(1, credits)))
    if refunded:
        taken = steps[-1].credits
        first = chance.randint(1, taken)
        steps.append(Step("refund", first))
        if first < taken and chance.random() < 0.5:
            steps.append(Step("refund", chance.randint(1, taken - first)))
    if dropped:
        broken = chance.randrange(len(steps))
        steps[broken] = Step(steps[broken].kind, steps[broken].credits, chance.choice(DROPS))
    return Sale(f"D{number:05d}", number % CUSTOMERS, credits, chance.random() < 0.1, not later, steps)


def told(sales: list[Sale]) -> dict[str, dict[str, Any]]:
    """What each sale must have come to, by its number."""
    return {
        sale.number: {"state": sale.state, "captured": sale.captured, "refunded": sale.refunded, "credits": sale.credits} for sale in sales
    }
