import type { ComponentChildren } from "preact";

function icon(children: ComponentChildren) {
  return () => (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const MicIcon = icon(
  <path d="M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5 11.5a7 7 0 0 0 14 0M12 18.5V22" />,
);
export const MicOffIcon = icon(
  <path d="M15 10V6a3 3 0 0 0-5.7-1.3M9 9v3a3 3 0 0 0 4.5 2.6M5 11.5a7 7 0 0 0 11 5.7M19 11.5a7 7 0 0 1-.5 2.6M12 18.5V22M3 3l18 18" />,
);
export const HangUpIcon = icon(
  <path d="M3.2 14.6c4.8-4.8 12.8-4.8 17.6 0 .5.5.5 1.2 0 1.7l-1.6 1.6c-.4.4-1.1.5-1.6.1l-2.3-1.6a1.3 1.3 0 0 1-.5-1.3l.3-1.5a11 11 0 0 0-6.2 0l.3 1.5c.1.5-.1 1-.5 1.3L6.4 18c-.5.4-1.2.3-1.6-.1l-1.6-1.6c-.5-.5-.5-1.2 0-1.7z" />,
);
export const SendIcon = icon(<path d="M5 12h13M12.5 6l6 6-6 6" />);
export const SaveIcon = icon(<path d="M12 4v11M7.5 11l4.5 4.5L16.5 11M5 20h14" />);
export const SunIcon = icon(
  <path d="M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4" />,
);
export const MoonIcon = icon(<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z" />);
export const AutoIcon = icon(<path d="M12 3.5a8.5 8.5 0 1 0 0 17zM12 3.5a8.5 8.5 0 0 1 0 17" />);
export const CloseIcon = icon(<path d="M6 6l12 12M18 6L6 18" />);
export const CopyIcon = icon(<path d="M9 9h10v11H9zM15 9V5H5v11h4" />);
