/** Pages to be read and printed. */
import { all } from "./core.js";

for (const button of all("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
