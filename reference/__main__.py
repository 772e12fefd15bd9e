"""Write every generated file that differs from the code.

python -m reference
"""

from __future__ import annotations

from pathlib import Path

from reference.files import generated_files

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Write the files and print the names of those that changed."""
    for name, text in generated_files().items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")


if __name__ == "__main__":
    main()
