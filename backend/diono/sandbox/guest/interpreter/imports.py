"""Hooks into the import system: matplotlib is furnished, IPython.display is there in any case."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

from . import figures, rich

Hook = Callable[[Any], None]


def load(name: str) -> Any:
    """Import a module that most kernels never need."""
    return importlib.import_module(name)


def install(display: Any, shell: Any) -> None:
    """Furnish what is imported already, and the rest when it comes."""
    hooks: dict[str, Hook] = {
        "matplotlib": lambda module: figures.furnish(module, display.show_figures),
        "matplotlib.pyplot": lambda module: figures.furnish_pyplot(module, display.show_figures),
    }
    for name in list(hooks):
        module = sys.modules.get(name)
        if module is not None:
            hooks.pop(name)(module)
    sys.meta_path.insert(0, _Finder(hooks))
    sys.meta_path.append(_Fallback(display, shell))


class _Finder(importlib.abc.MetaPathFinder):
    """Calls a hook after the module of its name was loaded."""

    def __init__(self, hooks: dict[str, Hook]) -> None:
        self._hooks = hooks

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        hook = self._hooks.pop(fullname, None)
        if hook is None:
            return None
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        spec.loader = _Loader(spec.loader, hook)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: Any, hook: Hook) -> None:
        self._loader = loader
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        self._loader.exec_module(module)
        self._hook(module)


class _Fallback(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Offers the well-known part of IPython where the package is not installed."""

    def __init__(self, display: Any, shell: Any) -> None:
        self._display = display
        self._shell = shell

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        if fullname not in rich.MODULES:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname in rich.PACKAGES)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        del spec
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__.update(rich.names(self._display, self._shell))
