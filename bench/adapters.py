"""The adapter contract: find the factories and load one. Importing this module imports no torch.

An adapter is a factory `factory(scale, device, dtype)` that returns a callable from `(N, C, H, W)` to
`(N, C, scale*H, scale*W)` (README, "Add your own method"). It arrives through the entry-point group
`upbench.methods`, as `FILE.py:FACTORY`, or as `MODULE:FACTORY`; ours come by the same door. `pickled:PATH:NAME` is a
callable that a Python program handed over: a factory if its parameters begin with scale, device, dtype, else the
upsampler itself.
"""

import ast
import difflib
import hashlib
import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

from upbench.bench.errors import FailedError, SkippedError, UsageError
from upbench.bench.loading import PICKLED, Factory, load_factory

GROUP = "upbench.methods"
LONGEST_REASON = 300  # characters of an exception that a row keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A named way to a factory. Nothing is imported before `load` is called.

    Adapters of one `module` share its state.
    """

    name: str
    module: str  # a module's name, or a file's path
    load: Callable[[], Factory]
    attribute: str = ""  # the factory's name in it
    source: str = ""  # what `find` takes, from any folder

    @property
    def family(self) -> str:
        """What it belongs to: the last part of its module's name."""
        is_file = self.module.endswith(".py") or self.module.startswith(PICKLED)
        return Path(self.module).stem if is_file else self.module.rpartition(".")[2]

    def factory(self) -> Factory:
        """Import and return the factory; raises `SkippedError` if a library it needs is absent."""
        try:
            return self.load()
        except ImportError as error:
            raise SkippedError(sentence(error)) from error
        except UsageError:
            raise
        except Exception as error:
            raise FailedError(f"its module cannot be imported: {sentence(error)}") from error

    def require(self) -> "Adapter":
        """Itself, when its module and its factory are there; raises `UsageError` where they are not.

        An absent library is no such mistake: it becomes a row with its reason.
        """
        try:
            self.load()
        except (ImportError, UsageError) as error:
            if isinstance(error, UsageError):
                raise
        except Exception as error:
            raise UsageError(f"--method {self.source!r}: it cannot be imported: {sentence(error)}") from error
        return self

    def summary(self) -> str:
        """First line of the factory's docstring."""
        return (inspect.getdoc(self.factory()) or "").partition("\n")[0]

    def claims_interpolation(self) -> bool:
        """Whether the factory says that a constant image stays constant."""
        return bool(getattr(self.factory(), "interpolator", False))


def sentence(error: BaseException) -> str:
    """An exception as one plain line of at most 300 characters: its message, or its kind where it has none."""
    text = " ".join(str(error).split())
    text = text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 4] + " ..."
    return text or type(error).__name__


def discover() -> dict[str, Adapter]:
    """All installed adapters by name, sorted; ours and strangers' alike."""
    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return {
        entry.name: Adapter(
            name=entry.name, module=entry.module, attribute=entry.attr, source=entry.name, load=entry.load
        )
        for entry in found
    }


def from_spec(spec: str) -> Adapter:
    """An adapter from `path/to/file.py:factory` or `package.module:factory`; its name is the factory's.

    Nothing is imported yet. Raises `UsageError` for a spec that is none, and for a file that is absent or no Python.
    """
    check_spec(spec)
    source, _, attribute = spec.rpartition(":")
    load = partial(load_factory, source, attribute)
    return Adapter(name=attribute, module=source, attribute=attribute, source=absolute(spec), load=load)


def select(names: Sequence[str] | None, specs: Iterable[str] = ()) -> list[Adapter]:
    """The adapters asked for, in order; `None` with no specs means all installed. Nothing is imported yet.

    A name may carry a form, as in `bilinear@size`. Raises `UsageError` with near matches for a name that
    does not exist, and where two factories have one name.
    """
    installed = discover()
    own = [from_spec(spec) for spec in specs]
    if names is None:
        names = [] if own else list(installed)
    chosen = [*(_by_name(name, installed) for name in dict.fromkeys(names)), *own]
    _require_apart([adapter.name for adapter in chosen])
    return chosen


def _by_name(name: str, installed: dict[str, Adapter]) -> Adapter:
    plain, _, form = name.partition("@")
    require_installed(plain, installed)
    adapter = installed[plain]
    if not form:
        return adapter
    return replace(adapter, name=name, source=name, load=partial(_load_form, adapter, form))


def _load_form(adapter: Adapter, form: str) -> Factory:
    factory = adapter.load()
    if "form" not in inspect.signature(factory).parameters:
        raise UsageError(f"{adapter.name} has one form only; ask for it without @{form}.")
    return partial(factory, form=form)


def check_methods(methods: Sequence[str] | None, specs: Sequence[str]) -> None:
    """Look at names and specs without importing anything of a method's.

    Raises `UsageError` for a name that is not installed, a spec that is none, a file that is absent or no Python, and
    two methods of one name.
    """
    for spec in specs:
        check_spec(spec)
    installed = discover() if methods else {}
    for name in methods or ():
        require_installed(name.partition("@")[0], installed)
    _require_apart([*dict.fromkeys(methods or ()), *(spec.rpartition(":")[2] for spec in specs)])


def check_spec(spec: str) -> None:
    """Raise `UsageError` for a spec that is none, a file that is absent or no Python; nothing of it is run."""
    source, _, attribute = spec.rpartition(":")
    if not source or not attribute:
        raise UsageError(f"--method {spec!r}: write it as FILE.py:FACTORY or MODULE:FACTORY.")
    if source.startswith(PICKLED) or not source.endswith(".py"):
        return
    path = Path(source)
    if not path.is_file():
        raise UsageError(f"There is no file {source}.")
    try:
        ast.parse(path.read_bytes(), filename=source)
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"--method {spec!r}: {source} cannot be imported: {sentence(error)}") from error


def names_of(methods: Sequence[str] | None, specs: Sequence[str]) -> list[str]:
    """The names of the methods asked for, in order, without importing anything; `None` with no specs means all."""
    if methods is None:
        methods = () if specs else tuple(discover())
    return [*dict.fromkeys(methods), *(spec.rpartition(":")[2] for spec in specs)]


def absolute(spec: str) -> str:
    """A spec whose file is found from any folder."""
    source, _, attribute = spec.rpartition(":")
    return f"{Path(source).resolve()}:{attribute}" if source.endswith(".py") else spec


def digests(specs: Sequence[str]) -> dict[str, str]:
    """SHA-256 of each spec's file, so that an edited method is measured anew."""
    files = {spec: Path(spec.rpartition(":")[0]) for spec in specs}
    return {spec: hashlib.sha256(path.read_bytes()).hexdigest() for spec, path in files.items() if path.is_file()}


def _require_apart(names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise UsageError(f"{count} methods are called {name!r}; give the factory another name.")


def require_installed(name: str, installed: Iterable[str]) -> None:
    """Raise `UsageError` with near matches for a method that is not installed."""
    if name not in installed:
        near = difflib.get_close_matches(name, list(installed), n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "`upbench list` shows them all."
        raise UsageError(f"There is no method {name!r}; {hint}")


def resolve(names: Sequence[str] | None, specs: Sequence[str]) -> list[Adapter]:
    """The adapters asked for, those of one's own and those with a form imported; raises `UsageError` as they do."""
    chosen = select(names, specs)
    own = {spec.rpartition(":")[2] for spec in specs}
    return [adapter.require() if adapter.name in own or "@" in adapter.name else adapter for adapter in chosen]


def find(method: str) -> Adapter:
    """The adapter of an installed name, or of a spec such as `FILE.py:FACTORY`; raises `UsageError` for neither."""
    return lazily(method).require() if ":" in method else resolve([method], [])[0]


def lazily(method: str) -> Adapter:
    """As `find`, but nothing is imported."""
    return from_spec(method) if ":" in method else select([method])[0]
