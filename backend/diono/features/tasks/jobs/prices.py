"""What paid models cost, from a file of the operator's."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from diono.features.tasks.errors import PriceUnknown
from diono.kernel.errors import InvalidInput

PER_TOKENS = 1_000_000


class Price(BaseModel):
    """US dollars for a million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_usd: float = Field(ge=0)
    output_usd: float = Field(ge=0)

    def of(self, tokens_in: int, tokens_out: int) -> float:
        return (tokens_in * self.input_usd + tokens_out * self.output_usd) / PER_TOKENS


_TABLE = TypeAdapter(dict[str, Price])
FREE = Price(input_usd=0, output_usd=0)


class PricesUnreadable(InvalidInput):
    code = "prices_unreadable"


@dataclass(frozen=True)
class Prices:
    """Prices by full model name, ``provider/model``; ``provider/*`` stands for the rest."""

    file: Path
    prices: dict[str, Price]

    @classmethod
    def load(cls, file: Path) -> "Prices":
        """Read the file; without one no price is known. Raises PricesUnreadable."""
        if not file.exists():
            return cls(file, {})
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
            prices = _TABLE.validate_python(content or {})
        except (OSError, ValueError, yaml.YAMLError, ValidationError) as error:
            raise PricesUnreadable(f"{file} cannot be read: {error}") from error
        return cls(file, prices)

    def of(self, model: str, *, is_local: bool) -> Price | None:
        """Return a model's price; a local one is free, None is not known."""
        if is_local:
            return FREE
        provider = model.partition("/")[0]
        return self.prices.get(model) or self.prices.get(f"{provider}/*")

    def needed(self, model: str, *, is_local: bool) -> Price:
        """Raises PriceUnknown."""
        price = self.of(model, is_local=is_local)
        if price is None:
            raise PriceUnknown(
                f"The task may cost only so much, but nobody said what {model} costs. Add it to "
                f"{self.file}, or leave out the budget in dollars."
            )
        return price
