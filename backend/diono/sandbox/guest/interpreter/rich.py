"""IPython.display's classes for images without IPython: values that know how they look."""

from __future__ import annotations

import mimetypes
import os
from typing import Any

PACKAGES = frozenset({"IPython", "IPython.core"})
MODULES = PACKAGES | {
    "IPython.display",
    "IPython.core.display",
    "IPython.core.display_functions",
    "IPython.core.getipython",
}


class DisplayObject:
    """Content of one kind, given as it is, as a file name or (for pictures) as a URL."""

    _mode = "r"

    def __init__(
        self, data: Any = None, url: str | None = None, filename: str | None = None
    ) -> None:
        if filename is None and isinstance(data, str) and self._is_file(data):
            filename, data = data, None
        self.url = url
        self.filename = filename
        self.data = data
        if filename is not None:
            with open(filename, self._mode) as file:
                self.data = file.read()

    def _is_file(self, text: str) -> bool:
        del text
        return False

    def __repr__(self) -> str:
        return f"<IPython.core.display.{type(self).__name__} object>"


class HTML(DisplayObject):
    def _repr_html_(self) -> Any:
        return self.data


class Markdown(DisplayObject):
    def _repr_markdown_(self) -> Any:
        return self.data


class Latex(DisplayObject):
    def _repr_latex_(self) -> Any:
        return self.data


class Math(DisplayObject):
    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {str(self.data).strip('$')}$"


class SVG(DisplayObject):
    def _is_file(self, text: str) -> bool:
        return text.endswith(".svg") and os.path.isfile(text)

    def _repr_svg_(self) -> Any:
        return self.data


class JSON(DisplayObject):
    def _repr_json_(self) -> Any:
        return self.data


class Javascript(DisplayObject):
    def _repr_javascript_(self) -> Any:
        return self.data


class Pretty(DisplayObject):
    def __repr__(self) -> str:
        return str(self.data)


class Image(DisplayObject):
    _mode = "rb"

    def __init__(
        self, data: Any = None, url: str | None = None, filename: str | None = None, **options: Any
    ) -> None:
        if isinstance(data, str) and data.startswith(("http://", "https://")):
            data, url = None, data
        super().__init__(data, url, filename)
        self.format = str(options.get("format") or self._guess())
        self.width, self.height = options.get("width"), options.get("height")

    def _is_file(self, text: str) -> bool:
        return os.path.isfile(text)

    def _guess(self) -> str:
        if isinstance(self.data, bytes) and self.data.startswith(b"\xff\xd8"):
            return "jpeg"
        kind = mimetypes.guess_type(self.filename or "")[0] or "image/png"
        return "jpeg" if kind == "image/jpeg" else kind.partition("/")[2]

    def _repr_png_(self) -> Any:
        return self.data if self.format == "png" else None

    def _repr_jpeg_(self) -> Any:
        return self.data if self.format in ("jpeg", "jpg") else None

    def _repr_html_(self) -> str | None:
        return f'<img src="{self.url}"/>' if self.url else None


class IFrame:
    def __init__(self, src: str, width: Any, height: Any, **_options: Any) -> None:
        self._text = f'<iframe width="{width}" height="{height}" src="{src}"></iframe>'

    def _repr_html_(self) -> str:
        return self._text


def names(display: Any, shell: Any) -> dict[str, Any]:
    """Return what the modules offer."""

    def show(*objects: object, **options: Any) -> None:
        display.show(*objects, **options)

    def clear_output(wait: bool = False) -> None:
        """Output that was sent cannot be taken back."""

    def shower(kind: str) -> Any:
        def show_each(*contents: object, **_options: Any) -> None:
            for content in contents:
                show({kind: content}, raw=True)

        return show_each

    def publish(data: Any, **_options: Any) -> None:
        show(data, raw=True)

    classes = (
        DisplayObject,
        HTML,
        Markdown,
        Latex,
        Math,
        SVG,
        JSON,
        Javascript,
        Pretty,
        Image,
        IFrame,
    )
    offered: dict[str, Any] = {each.__name__: each for each in classes}
    offered.update(
        display=show,
        clear_output=clear_output,
        update_display=show,
        publish_display_data=publish,
        get_ipython=lambda: shell,
        display_html=shower("text/html"),
        display_markdown=shower("text/markdown"),
        __version__="0.0",
    )
    return offered
