import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { AutoIcon, MoonIcon, SunIcon } from "./icons";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const ICONS = { auto: AutoIcon, light: SunIcon, dark: MoonIcon };
const KEY = "theme";

export function ThemeButton() {
  const theme = useSignal<Theme>(savedTheme());
  useEffect(() => {
    document.documentElement.dataset.theme = theme.value;
  }, [theme.value]);
  const Icon = ICONS[theme.value];
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "auto";
  return (
    <button
      type="button"
      class="button icon-only quiet-button"
      aria-label={`Colours: ${theme.value}. Change to ${next}`}
      title={`Colours: ${theme.value}`}
      onClick={() => {
        theme.value = next;
        saveTheme(next);
      }}
    >
      <Icon />
    </button>
  );
}

/** Return the saved theme; the browser may forbid storage. */
function savedTheme(): Theme {
  try {
    return THEMES.find((name) => name === localStorage.getItem(KEY)) ?? "auto";
  } catch {
    return "auto";
  }
}

function saveTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // the theme then lasts until the page is closed
  }
}
