"""What a method claims of itself; the conformance check holds it to its claims."""

from collections.abc import Callable
from typing import Any, TypeVar

Factory = TypeVar("Factory", bound=Callable[..., Any])


def interpolator(factory: Factory) -> Factory:
    """Claim that a constant image stays that constant at every pixel, border included."""
    factory.interpolator = True  # type: ignore[attr-defined] # a plain attribute: strangers need no import
    return factory
