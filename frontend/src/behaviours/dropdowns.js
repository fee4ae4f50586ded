// Tabler's dropdowns start by data-bs-toggle="dropdown"; boundary="viewport" lets one leave a scrolling box.
import "@tabler/core/js/src/bootstrap/dropdown";
