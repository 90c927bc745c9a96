"""Static files as they are sent: style and scripts without comments and needless whitespace."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from django.core.files.base import ContentFile
from rcssmin import cssmin
from rjsmin import jsmin
from whitenoise.storage import CompressedManifestStaticFilesStorage

_SHORTENED: Final[dict[str, Callable[[str], str]]] = {".css": cssmin, ".js": jsmin}


def shortened(name: str, text: str) -> str:
    """The same style or script in fewer characters; what is neither, or comes short already, as it is."""
    if ".min." in name:
        return text
    return next((shorten(text) for ending, shorten in _SHORTENED.items() if name.endswith(ending)), text)


class ShortenedStorage(CompressedManifestStaticFilesStorage):
    """Shortens our own files before they are named by their content and compressed; whoever wrote the others did."""

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Django's: `paths` are storage and path of each source, by name."""
        own = {} if dry_run else {name: self._shortened(name) for name in paths if _is_own(name)}
        yield from super().post_process(paths | own, dry_run=dry_run, **options)

    def _shortened(self, name: str) -> tuple["ShortenedStorage", str]:
        """Where the short one is from now on."""
        with self.open(name) as file:
            text = file.read().decode()
        self.delete(name)
        return self, self.save(name, ContentFile(shortened(name, text).encode()))


def _is_own(name: str) -> bool:
    return "/" not in name and name.endswith(tuple(_SHORTENED))
