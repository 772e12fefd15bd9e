"""``python -m monitoring.dashboards``: write the dashboards' JSON."""

from __future__ import annotations

import sys


def main() -> None:
    if sys.version_info < (3, 11):
        sys.exit("monitoring.dashboards: Grafana's SDK needs Python 3.11 or newer")
    from monitoring.dashboards.render import rendered

    for path, text in rendered().items():
        path.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
