// An empty time zone field starts with the browser's own: <input data-detect-zone>.
import { onElements } from "../page.js";

onElements("input[data-detect-zone]", (field) => {
  if (!field.value) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
});
