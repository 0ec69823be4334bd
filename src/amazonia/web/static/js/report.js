/** The class report: its files, by the reader's clock, and what a teacher decides about the data. */
import { all, attempt, call, el, one, page, post, t, words } from "./core.js";

const api = `/api/classes/${page.code}`;
const offset = -new Date().getTimezoneOffset();

// The server's clock counts, told as the reader's clock tells it.
const here = new URL(location.href);
if (here.searchParams.get("offset") !== String(offset)) {
  here.searchParams.set("offset", String(offset));
  location.replace(here);
}
for (const link of /** @type {HTMLAnchorElement[]} */ (all("[data-file]"))) {
  link.search = `?offset=${offset}&lang=${document.documentElement.lang}`;
}

for (const button of all("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    for (const team of /** @type {HTMLDetailsElement[]} */ (all("details.team"))) team.open = true;
    print();
  });
}

// A PDF of forty teams takes some seconds: a job makes it, and the page tells how far it is.
const pdf = /** @type {HTMLAnchorElement} */ (one("[data-pdf]"));
const told = one("[data-progress]");

/** @param {{id: string}} job @returns {Promise<string>} the address of the file */
function made(job) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(`/api/jobs/${job.id}`);
    source.addEventListener("job", (event) => {
      const part = JSON.parse(/** @type {MessageEvent} */ (event).data).progress;
      told.textContent = `${t("pdf_wait")} ${Math.round(100 * part)}%`;
    });
    source.addEventListener("end", (event) => {
      source.close();
      const { file } = JSON.parse(/** @type {MessageEvent} */ (event).data);
      if (file) resolve(file); else reject(new Error("no file"));
    });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) reject(new Error("no stream"));
    });
  });
}

pdf.addEventListener("click", async (event) => {
  event.preventDefault();
  if (pdf.getAttribute("aria-busy") === "true") return;
  pdf.setAttribute("aria-busy", "true");
  told.textContent = t("pdf_wait");
  try {
    const job = await call(pdf.href, { headers: { Prefer: "respond-async", Accept: "application/json" } });
    const address = await made(job);
    el("a", { href: address, download: "" }).click();
    told.textContent = t("pdf_ready");
  } catch {
    told.textContent = t("pdf_failed");
  } finally {
    pdf.removeAttribute("aria-busy");
  }
});

for (const button of all("[data-questionnaire]")) {
  button.hidden = false;
  button.addEventListener("click", () => attempt(button, async () => {
    await post(`${api}/questionnaire`, { on: button.dataset.questionnaire === "on" });
    location.reload();
  }));
}

/**
 * Sends a form and shows beside it what came of it.
 * @param {HTMLFormElement} form @param {(data: FormData) => Promise<string>} action
 */
function sends(form, action) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = one("[data-said]", form);
    action(new FormData(form)).then((text) => { said.textContent = text; }, (error) => { said.textContent = words(error); });
  });
}

sends(one("[data-keep]"), async (data) => {
  await post(`${api}/keep`, { days: Number(data.get("days")) });
  return t("kept");
});

sends(one("[data-erase]"), async (data) => {
  const typed = String(data.get("confirm")).replace(/\s/g, "").toUpperCase();
  if (typed !== page.code) return t("erase_wrong");
  await post(`${api}/erase`, { confirm: typed });
  one("main").replaceChildren(
    el("h1", { tabindex: "-1" }, t("erased", { code: page.code })),
    el("p", {}, el("a", { href: "/", class: "button" }, t("erased_home"))),
  );
  one("h1").focus();
  return "";
});
