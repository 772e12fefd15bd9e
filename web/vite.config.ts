import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "./",
  // Nothing inline: the page is served with a content security policy that allows only files of its own.
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 700 },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // `npm run dev` beside `python -m page_server`.
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
  test: { environment: "happy-dom", include: ["tests/**/*.test.{ts,tsx}"], restoreMocks: true },
});
