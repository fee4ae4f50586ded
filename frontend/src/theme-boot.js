// Runs before the first paint, so that a page never flashes in the wrong theme.
// "auto" follows the system; only an explicit choice is kept.
import { applyTheme, storedTheme } from "./theme_store.js";

applyTheme(storedTheme());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => applyTheme(storedTheme()));
