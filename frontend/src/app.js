// Everything that every page needs. Pages with a calendar or a chart add calendar.js or chart.js.
import "@tabler/core/js/src/bootstrap/collapse";
import "@tabler/core/js/src/bootstrap/offcanvas";
import "@tabler/core/js/src/bootstrap/tab";
import "./behaviours/dropdowns.js";
import "./behaviours/htmx.js";
import "./behaviours/theme.js";
import "./behaviours/toasts.js";
import "./behaviours/confirm.js";
import "./behaviours/dialogs.js";
import "./behaviours/submit_once.js";
import "./behaviours/copy.js";
import "./behaviours/password.js";
import "./behaviours/autosave.js";
import "./behaviours/dropzone.js";
import "./behaviours/media_tray.js";
import "./behaviours/zone.js";
