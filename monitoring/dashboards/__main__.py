"""``python -m monitoring.dashboards``: write the dashboards' JSON."""

from __future__ import annotations

import sys


def main() -> None:
    """Write all dashboards."""
    if sys.version_info < (3, 11):
        sys.exit("monitoring.dashboards: Grafana's SDK needs Python 3.11 or newer")
    from monitoring.dashboards.render import render

    for path, text in render().items():
        path.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
