"""What of a package's source a function needs, cut out of its modules as it is written there.

Reads source only; nothing is imported. A name that two modules define takes its module's name before it in the second.
"""

import ast
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from upbench.bench.errors import UsageError

PACKAGE = "upbench.methods"
DROPPED = "interpolator"  # a claim to the conformance check, which a module of its own does without
WEIGHTS = f"{PACKAGE}.pretrained"
FOLDER = "FOLDER = Path(__file__).parent  # the weights lie beside this file"


@dataclass(slots=True)
class Module:
    """A module's source: what each of its names is bound by."""

    name: str
    lines: list[str]
    defined: dict[str, ast.stmt] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)  # name -> module and name of ours, "" for all
    outside: dict[str, str] = field(default_factory=dict)  # name -> the import statement that brings it

    @classmethod
    def read(cls, name: str) -> "Module":
        """Parse a module of the package."""
        found = find_spec(name)
        if found is None or found.origin is None:
            raise UsageError(f"There is no source of {name} here.")
        source = Path(found.origin).read_text(encoding="utf-8")
        module = cls(name, source.splitlines())
        for node in ast.parse(source).body:
            module._bind(node)
        return module

    def _bind(self, node: ast.stmt) -> None:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("upbench."):
            for alias in node.names:
                ours = f"{node.module}.{alias.name}"
                whole = node.module == PACKAGE and find_spec(ours) is not None
                self.imported[alias.asname or alias.name] = (ours, "") if whole else (str(node.module), alias.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                said = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
                start = f"from {node.module} " if isinstance(node, ast.ImportFrom) else ""
                self.outside[bound] = f"{start}import {said}"
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            self.defined[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            self.defined |= {
                each.id: node for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)
            }

    def text(self, node: ast.stmt) -> str:
        """A statement as it is written, with the comment right above it."""
        decorators = getattr(node, "decorator_list", [])
        claims = {each.lineno for each in decorators if isinstance(each, ast.Name) and each.id == DROPPED}
        start = min([node.lineno, *(each.lineno for each in decorators)])
        while start > 1 and self.lines[start - 2].startswith("#"):
            start -= 1
        numbers = range(start, (node.end_lineno or start) + 1)
        return "\n".join(self.lines[number - 1] for number in numbers if number not in claims)

    def without_modules(self, text: str, node: ast.stmt, hidden: set[str]) -> str:
        """`filters.matrix` as `matrix`, or where the statement has a `matrix` of its own, as `filters_matrix`."""
        own = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
        own |= {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
        own |= {each.name for each in ast.walk(node) if isinstance(each, ast.FunctionDef) and each is not node}
        for local, (_, name) in self.imported.items():
            if name:
                continue
            for used in set(re.findall(rf"(?<![\w.]){local}\.(\w+)", text)):
                new = f"{local}_{used}" if used in own else used
                hidden |= {f"{new} = {used}"} if used in own else set()
                text = re.sub(rf"(?<![\w.]){local}\.{used}(?!\w)", new, text)
        return text


class Sources:
    """The statements that some functions need, over all modules of the package."""

    def __init__(self) -> None:
        """Nothing is needed yet."""
        self.modules: dict[str, Module] = {}
        self.needed: dict[str, dict[int, ast.stmt]] = {}  # module -> line -> statement, modules in order of need
        self.imports: set[str] = set()
        self._owner: dict[str, str] = {}
        self._hidden: set[str] = set()  # other names of what a statement's own variable hides
        self._renamed: dict[tuple[str, str], str] = {}  # module and name, where another module has the plain one

    def need(self, module_name: str, name: str) -> None:
        """Take in a name's statement and everything that it needs; raises `UsageError` where that is not source."""
        module = self.modules.get(module_name) or self.modules.setdefault(module_name, Module.read(module_name))
        node = module.defined.get(name)
        if node is None:
            self._elsewhere(module, name)
            return
        if node.lineno in self.needed.setdefault(module_name, {}):
            return
        if self._owner.setdefault(name, module_name) != module_name:
            self._renamed[module_name, name] = f"{module_name.rpartition('.')[2]}_{name}"
        self.needed[module_name][node.lineno] = node
        for used in _names(node):
            self._use(module, *used)

    def _use(self, module: Module, name: str, attribute: str) -> None:
        if name in module.imported and not module.imported[name][1]:
            if attribute:
                self.need(module.imported[name][0], attribute)
        elif name in module.defined or name in module.imported or name in module.outside:
            self.need(module.name, name)

    def _elsewhere(self, module: Module, name: str) -> None:
        if name in module.imported:
            source, original = module.imported[name]
            if original:
                self.need(source, original)
        elif name in module.outside:
            self.imports.add(module.outside[name])
        else:
            raise UsageError(f"{module.name} has no source of {name}.")

    @property
    def weighted(self) -> bool:
        """Whether what is needed reads a file of weights."""
        return WEIGHTS in self.needed

    def text(self) -> str:
        """Imports, then the statements: what is needed stands before what needs it."""
        order: list[str] = []
        for name in self.needed:
            self._place(name, order)
        statements = [self._text(name, node) for name in order for _, node in sorted(self.needed[name].items())]
        plain = sorted(each for each in self.imports if each.startswith("import "))
        named = sorted(each for each in self.imports if not each.startswith("import "))
        return "\n".join([*plain, *named]) + "\n\n\n" + "\n\n\n".join([*statements, *sorted(self._hidden)])

    def _text(self, module_name: str, node: ast.stmt) -> str:
        """A statement with the names that its module sees under their new names."""
        module = self.modules[module_name]
        if module_name == WEIGHTS and node is module.defined["FOLDER"]:
            return FOLDER
        text = module.without_modules(module.text(node), node, self._hidden)
        for (owner, name), new in self._renamed.items():
            seen = [local for local, source in module.imported.items() if source == (owner, name)]
            whole = any(source == (owner, "") for source in module.imported.values())
            for local in [*seen, *([name] if owner == module_name or whole else [])]:
                text = re.sub(rf"(?<![\w.-]){local}(?!\w)(?!=(?!=))", new, text)  # learned-espcn is no espcn
        return text

    def _place(self, name: str, order: list[str]) -> None:
        if name in order or name not in self.needed:
            return
        for source, _ in self.modules[name].imported.values():
            if source != name:
                self._place(source, order)
        order.append(name)


def _names(node: ast.stmt) -> list[tuple[str, str]]:
    """The names that a statement reads, each with the attribute that is taken of it, if any."""
    found: dict[tuple[str, str], None] = {}
    claims = [id(each) for each in getattr(node, "decorator_list", [])]
    for each in ast.walk(node):
        if id(each) in claims and isinstance(each, ast.Name) and each.id == DROPPED:
            continue
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
            found[each.value.id, each.attr] = None
        elif isinstance(each, ast.Name):
            found.setdefault((each.id, ""), None)
        elif isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.isidentifier():
            found.setdefault((each.value, ""), None)  # an annotation between quotation marks
    return [(name, attribute) for name, attribute in found if attribute or (name, "") in found]
