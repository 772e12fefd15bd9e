"""Write every generated page.

python -m reference
"""

from __future__ import annotations

from pathlib import Path

from reference.pages import pages

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    for name, text in pages().items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")


if __name__ == "__main__":
    main()
