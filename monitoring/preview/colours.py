"""The colours of Grafana's dark theme."""

PAGE, PANEL, EDGE, TEXT, FAINT = "#111217", "#181b1f", "#2c3036", "#d5d8df", "#8e949e"
SERIES = ("#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#ffa6b0")
LIGHTS = {"green": "#73bf69", "yellow": "#f2cc0c", "red": "#f2495c"}
MARK = "#5794f2"
