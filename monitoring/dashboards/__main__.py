"""``python -m monitoring.dashboards``: write the dashboards' JSON."""

from __future__ import annotations

from monitoring.dashboards.render import rendered

if __name__ == "__main__":
    for path, text in rendered().items():
        path.write_text(text, encoding="utf-8")
        print(path)
