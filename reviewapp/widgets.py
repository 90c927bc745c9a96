"""Form fields as HTML, written in Python: Django renders a template for each option and each attribute, and a page with
a list of people and a few forms has hundreds of them. What comes out is the same but for empty lines, as a test holds.
"""

import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

Widget = Mapping[str, Any]
_NONE: Final = SafeString()


class Written(DjangoTemplates):
    """Writes the widgets below itself, and leaves all others to Django's templates."""

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        written = _WRITTEN.get(template_name)
        return written(context["widget"]) if written else super().render(template_name, context, request)


def _attributes(widget: Widget) -> SafeString:
    given = [(name, value) for name, value in widget["attrs"].items() if value is not False]
    if not given:
        return _NONE
    return format_html_join(
        "", "{}", ((format_html(" {}", n) if v is True else format_html(' {}="{}"', n, str(v)),) for n, v in given)
    )


def _input(widget: Widget) -> SafeString:
    value = "" if widget["value"] is None else format_html(' value="{}"', str(widget["value"]))
    return format_html('<input type="{}" name="{}"{}{}>', widget["type"], widget["name"], value, _attributes(widget))


def _textarea(widget: Widget) -> SafeString:
    return format_html(
        '<textarea name="{}"{}>\n{}</textarea>', widget["name"], _attributes(widget), widget["value"] or ""
    )


def _select(widget: Widget) -> SafeString:
    groups = format_html_join("", "{}", ((_group(name, options),) for name, options, _ in widget["optgroups"]))
    return format_html('<select name="{}"{}>{}\n</select>', widget["name"], _attributes(widget), groups)


def _group(name: str | None, options: Iterable[Widget]) -> SafeString:
    written = SafeString("".join(map(_option, options)))
    return format_html('\n  <optgroup label="{}">{}\n  </optgroup>', name, written) if name else written


def _option(option: Widget) -> str:
    # Django's own `escape` first looks whether what it is given is a promise, which takes longer than escaping.
    value, label = html.escape(str(option["value"])), option["label"]
    label = html.escape(label) if type(label) is str else conditional_escape(label)
    return f'\n  <option value="{value}"{_attributes(option) if option["attrs"] else ""}>{label}</option>'


_WRITTEN: Final[dict[str, Callable[[Widget], SafeString]]] = {
    "django/forms/widgets/hidden.html": _input,
    "django/forms/widgets/number.html": _input,
    "django/forms/widgets/select.html": _select,
    "django/forms/widgets/text.html": _input,
    "django/forms/widgets/textarea.html": _textarea,
}
