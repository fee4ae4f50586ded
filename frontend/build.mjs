// Bundles styles and scripts into static/dist/ and collects the icons in use into one SVG sprite.
//
//   node build.mjs                 minified, no source maps
//   node build.mjs --watch         readable, with source maps, rebuilt on every change
//
// Names in static/dist/ are stable (app.js, app.css, ...): Django's manifest storage adds the hash.
import { copyFile, readFile, readdir, mkdir, rm, writeFile } from "node:fs/promises";
import { watch as watchFiles } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);
const out = path.join(root, "static", "dist");
const icons = path.join(here, "node_modules", "@tabler", "icons", "icons", "outline");
const isWatching = process.argv.includes("--watch");

// Python packages and templates that may name an icon.
const SCANNED = ["templates", "smmapp", "analytics", "content_calendar", "engagement", "campaigns", "audience", "outbox", "accounts", "core", "connectors"];
const PATTERNS = {
  ".html": [/\{%\s*icon\s+["']([a-z0-9-]+)["']/g, /\b(?:\w+_)?icon(?:_name)?=["']([a-z0-9-]+)["']/g, /\bdata-icon=["']([a-z0-9-]+)["']/g],
  ".py": [/\bicon=["']([a-z0-9-]+)["']/g, /["']icon["']:\s*["']([a-z0-9-]+)["']/g],
};

async function* filesBelow(folder) {
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  for (const entry of entries) {
    if (entry.name === "__pycache__" || entry.name === "node_modules") continue;
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(full);
    else yield full;
  }
}

/** Icon name -> first file that names it. */
async function iconsInUse() {
  const found = new Map();
  for (const name of JSON.parse(await readFile(path.join(here, "icons.json"), "utf8"))) found.set(name, "frontend/icons.json");
  for (const folder of SCANNED) {
    for await (const file of filesBelow(path.join(root, folder))) {
      const patterns = PATTERNS[path.extname(file)];
      if (!patterns) continue;
      const text = await readFile(file, "utf8");
      for (const pattern of patterns) {
        for (const match of text.matchAll(pattern)) {
          if (!found.has(match[1])) found.set(match[1], path.relative(root, file));
        }
      }
    }
  }
  return found;
}

async function buildSprite() {
  const symbols = [];
  const missing = [];
  for (const [name, file] of [...(await iconsInUse())].sort()) {
    let svg;
    try {
      svg = await readFile(path.join(icons, `${name}.svg`), "utf8");
    } catch {
      missing.push(`  ${name} (in ${file})`);
      continue;
    }
    const shapes = svg
      .slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>"))
      .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/, "")
      .replace(/\s*\n\s*/g, "");
    symbols.push(`<symbol id="${name}" viewBox="0 0 24 24">${shapes}</symbol>`);
  }
  if (missing.length) throw new Error(`Tabler has no icon of this name:\n${missing.join("\n")}`);
  await mkdir(out, { recursive: true });
  await writeFile(path.join(out, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`);
  return symbols.length;
}

const common = {
  absWorkingDir: here,
  bundle: true,
  outdir: out,
  target: ["es2022", "safari16"],
  minify: !isWatching,
  sourcemap: isWatching,
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  loader: { ".woff2": "file", ".svg": "dataurl" },
};

const modules = {
  ...common,
  entryPoints: { app: "src/app.js", calendar: "src/calendar.js", composer: "src/composer.js", chart: "src/chart.js" },
  format: "esm",
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
};
const classic = { ...common, entryPoints: { "theme-boot": "src/theme-boot.js" }, format: "iife" };
const styles = { ...common, entryPoints: { app: "css/app.css", calendar: "css/calendar.css" } };

/** The names of emoji in the languages of the interface, which the picker reads when it is opened. */
async function copyEmoji() {
  for (const language of ["en", "ja"]) {
    const names = path.join(here, "node_modules", "emoji-picker-element-data", language, "cldr", "data.json");
    await copyFile(names, path.join(out, `emoji-${language}.json`));
  }
}

/** Removes what earlier builds left. Only after this one: a server that is running never misses a file. */
async function removeStale(results) {
  const kept = new Set(["icons.svg", "emoji-en.json", "emoji-ja.json"].map((name) => path.join(out, name)));
  for (const { metafile } of results) {
    for (const file of Object.keys(metafile.outputs)) kept.add(path.resolve(here, file));
  }
  for await (const file of filesBelow(out)) {
    if (!kept.has(file)) await rm(file);
  }
}

if (isWatching) {
  for (const options of [modules, classic, styles]) await (await esbuild.context(options)).watch();
  await buildSprite();
  await copyEmoji();
  let timer;
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(() => buildSprite().catch((error) => console.error(error.message)), 200);
  };
  for (const folder of SCANNED) {
    try {
      watchFiles(path.join(root, folder), { recursive: true }, again);
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
  }
  console.log("Watching for changes.");
} else {
  try {
    const [count, ...results] = await Promise.all([
      buildSprite(),
      ...[modules, classic, styles].map((options) => esbuild.build(options)),
    ]);
    await copyEmoji();
    await removeStale(results);
    console.log(`Front end built: static/dist/ (${count} icons).`);
  } catch (error) {
    // esbuild has printed its own messages already.
    if (!error.errors) console.error(error.message);
    process.exit(1);
  }
}
