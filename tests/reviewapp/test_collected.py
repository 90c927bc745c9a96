"""What is made of style and scripts before they are sent."""

from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage

from reviewapp.collected import ShortenedStorage, shortened

SOURCES = settings.BASE_DIR / "static"


def test_style_and_scripts_are_collected_without_their_comments(tmp_path: Path) -> None:
    sources, collected = FileSystemStorage(SOURCES), ShortenedStorage(tmp_path, "/static/")
    names = ["countersign.css", "editor.js", "fonts/inter-latin.woff2"]
    for name in names:
        with sources.open(name) as file:
            collected.save(name, file)
    list(collected.post_process({name: (sources, name) for name in names}))
    made = {name: tmp_path / collected.stored_name(name) for name in names}
    script, style = (made[name].read_text() for name in ("editor.js", "countersign.css"))
    assert "// " not in script
    assert "/*" not in style
    assert f'url("fonts/{made["fonts/inter-latin.woff2"].name}")' in style
    assert made["editor.js"].with_suffix(".js.gz").exists()
    assert "// " in (SOURCES / "editor.js").read_text()


def test_what_comes_short_stays_as_it_is() -> None:
    assert shortened("htmx.min.js", "a ( ) // b") == "a ( ) // b"
    assert shortened("seal.svg", "<svg>  </svg>") == "<svg>  </svg>"
