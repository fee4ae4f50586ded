// Where the choice of theme is kept, and how it reaches the page.
const KEY = "smmapp-theme";
export const THEMES = ["light", "dark", "auto"];

export function storedTheme() {
  try {
    const theme = localStorage.getItem(KEY);
    return THEMES.includes(theme) ? theme : "auto";
  } catch {
    return "auto"; // storage is blocked: follow the system
  }
}

export function storeTheme(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // storage is blocked: the choice lasts for this page
  }
}

export function applyTheme(theme) {
  const isDark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  const html = document.documentElement;
  html.dataset.bsTheme = isDark ? "dark" : "light";
  html.dataset.themeChoice = theme;
  html.dispatchEvent(new CustomEvent("themechange", { detail: { isDark } }));
}
