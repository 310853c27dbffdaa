// Every page in every state that can be reached: no violation that axe-core finds, nothing to scroll sideways at 320 px and
// at 400 %, and a picture of the main pages.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sheet, tiff } from "./scans.mjs";
import { after, before, Desk, it, startBrowser, startStand } from "./stand.mjs";

let browser, stand, papers = 0;
const pictures = fileURLToPath(new URL("pictures", import.meta.url));

before(async () => {
  mkdirSync(pictures, { recursive: true });
  [stand, browser] = await Promise.all([startStand(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  await stand?.stop();
});

/** Plays through the states; `seen` is called at each. */
async function states(desk, seen) {
  const { page } = desk;
  const ask = async (line) => {
    await page.goto("/search");
    await page.locator("#line").fill(line);
    await page.locator("#line").press("Enter");
    await page.waitForURL(/answers/);
  };
  const fresh = async (role) => {
    await page.context().clearCookies({ name: "__Host-ccpor-session" });
    await desk.logOn(role);
  };
  await page.goto("/log-on");
  await seen("log-on");
  await desk.credentials({ name: "nobody", password: "wrong", codes: ["000000"] });
  await page.waitForSelector("#problem");
  await seen("log-on-refused");
  const letter = await stand.account("court", "alameda", "letter");
  await page.goto("/set-up");
  await seen("set-up");
  await page.locator("#name").fill(letter.name);
  await page.locator("#set_up_code").fill(letter.set_up_code);
  await page.locator("#new_password").fill("a long walk home");
  await page.locator("#again").fill("a long walk home");
  await page.locator("#again").press("Enter");
  await page.waitForSelector(".codes");
  await seen("authenticator");
  await fresh("lea-service");
  await seen("search");
  await page.locator(".more summary").click();
  await seen("search-form");
  await page.locator("#line").press("Enter");
  await page.waitForSelector("#problem");
  await seen("search-problem");
  await ask("DOE,JOHN 19850312");
  await seen("answers");
  await ask("Zzyzx, Quirin 1931-07-07");
  await seen("no-match");
  await page.goto(`/orders/${stand.orders.unserved}`);
  await page.waitForLoadState("networkidle");
  await seen("order");
  for (const [name, number] of Object.entries({ criminal: stand.orders.criminal, script: stand.orders.script })) {
    await page.goto(`/orders/${number}`);
    await seen(`order-${name}`);
  }
  await page.goto("/orders/nowhere");
  await seen("order-not-known");
  await page.goto(`/orders/${stand.orders.unserved}/service`);
  await seen("service");
  for (const paper of ["card", "copy"]) {
    await page.goto(`/orders/${stand.orders.unserved}/${paper}`);
    await seen(paper);
  }
  await page.goto("/help");
  await seen("help");
  await page.goto("/orders/none");
  await seen("not-found");
  await page.goto("/search");
  await page.locator(".menu summary").click();
  await seen("menu");
  await page.locator("#line").fill("Doe, Jo");
  await page.context().clearCookies({ name: "__Host-ccpor-session" });
  await page.locator("#line").press("Enter");
  await page.waitForURL(/log-on/);
  await seen("log-on-kept");
  await desk.credentials();
  await seen("search-restored");
  await fresh("judge");
  await page.goto("/between");
  await seen("between");
  await page.locator("#one").fill("Doe, John 1985");
  await page.locator("#other").fill("Doe, Jane");
  await page.locator("#other").press("Enter");
  await page.waitForURL(/answers/);
  await seen("between-answers");
  await page.goto(`${page.url()}/bench`);
  await seen("bench");
  await fresh("court");
  await page.goto("/today");
  await seen("today");
  await page.goto("/entry");
  await seen("entry");
  await page.locator("#form").selectOption("DV-130");
  await page.locator("#case_number").fill("FL-26-STATE");
  await page.locator("#issued").fill("2026-11-20");
  await page.locator("#last").fill("Doe");
  await page.locator("#first").fill("John");
  await page.locator("#dob").fill("1985-03-12");
  await page.locator("#p1_last").fill("Doe");
  await page.locator("#p1_first").fill("Jane");
  await page.locator("#case_number").press("Enter");
  await page.waitForSelector(".checked");
  await seen("entry-checked");
  await page.locator("#case_number").fill("");
  await page.locator("button[value=file]").press("Enter");
  await page.waitForSelector("#problem");
  await seen("entry-refused");
  await page.goto(`/orders/${stand.orders.unserved}/scan`);
  await seen("scan-upload");
  await page.goto("/scans");
  await seen("scans");
  const waits = { name: "calendar.tif", mimeType: "image/tiff", buffer: tiff([sheet((papers += 1))]) };
  await page.locator("#file").setInputFiles([waits, { ...waits, name: "letter.doc", buffer: Buffer.from("no scan") }]);
  await page.locator("button", { hasText: desk.words.queue_send }).press("Enter");
  await page.waitForSelector("#problem");
  await seen("scans-refused");
  await page.locator("tbody a", { hasText: "calendar.tif" }).first().press("Enter");
  await page.waitForURL(/scans\/[0-9a-f]+/);
  const waiting = page.url();
  await seen("scan-waiting");
  await page.locator("button[value=take]").press("Enter");
  await page.waitForURL(/entry/);
  await page.waitForLoadState("networkidle");
  await seen("entry-scan");
  await page.goto(waiting);
  await page.locator("#reason").fill("A letter");
  await page.locator("button[value=set_aside]").press("Enter");
  await page.waitForURL(/done=aside/);
  await seen("scans-aside");
  await page.goto(waiting);
  await seen("scan-aside");
  const own = await desk.file({ last: "Quist", case_number: "FL-27-OWN" });
  for (const act of ["amend", "renew", "replace", "end", "cancel"]) {
    await page.goto(`/orders/${own}/${act}`);
    await seen(act);
  }
  await page.goto(`/orders/${own}`);
  await seen("order-own");
  await fresh("supervisor");
  await page.goto(`/orders/${own}/cancel`);
  await page.locator("#reason").fill(" ");
  await page.locator("#reason").press("Enter");
  await page.waitForSelector("#problem");
  await seen("cancel-refused");
  await page.goto(`/orders/${own}/seal`);
  await seen("seal");
  await page.goto("/reports");
  await seen("reports");
  await page.goto("/account");
  await seen("own-account");
  await page.locator("#password").fill("wrong");
  await page.locator("#new_password").fill("nine loud green trains");
  await page.locator("#again").fill("nine loud green train");
  await page.locator("#code").fill("000000");
  await page.locator("#again").press("Enter");
  await page.waitForSelector("#problem");
  await seen("own-account-refused");
  await page.locator("#recovery_code").fill(desk.person.codes.shift());
  await page.locator("#recovery_code").press("Enter");
  await page.waitForSelector(".codes");
  await seen("recovery-codes");
  await fresh("administrator");
  await page.goto("/users");
  await seen("accounts");
  await page.locator("#named").fill("a");
  await page.locator("#named").press("Enter");
  await page.waitForURL(/named=/);
  await seen("accounts-found");
  await page.locator("#named").fill("nobody is called so");
  await page.locator("#named").press("Enter");
  await page.waitForSelector("tbody", { state: "detached" });
  await seen("accounts-none");
  await page.goto("/users/sessions");
  await seen("sessions");
  await page.goto("/users");
  await page.locator("tbody a").first().press("Enter");
  await page.waitForSelector("#change");
  await seen("account");
  await page.locator("#code").fill("000000");
  await page.locator("#code").press("Enter");
  await page.waitForSelector("#problem");
  await seen("account-refused");
  await page.goto("/users/new");
  await seen("account-new");
  await page.locator("#account").fill(`state-${Date.now()}`);
  await page.locator("#role").selectOption("auditor");
  await page.locator("#code").fill(desk.person.codes.shift());
  await page.locator("#code").press("Enter");
  await page.waitForSelector(".secret");
  await seen("letter");
  await page.goto("/users/import");
  await seen("import");
  const judge = async (csv) => {
    await page.locator("#file").setInputFiles({ name: "staff.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
    await page.locator("main button").press("Enter");
  };
  await judge("user;role\n");
  await page.waitForSelector("#problem");
  await seen("import-refused");
  await judge(`name,full_name,role,of\nstaff-${Date.now()},Jin Lee,judge,\nother-${Date.now()},Ana N\u00fa\u00f1ez,court,\nfar,Far Away,court,court/kern\n`);
  await page.waitForSelector("#good");
  await seen("import-judged");
  await page.locator("#code").fill("000000");
  await page.locator("#code").press("Enter");
  await page.waitForSelector("#problem");
  await seen("import-judged-refused");
  await page.locator("#code").fill(desk.person.codes.shift());
  await page.locator("#code").press("Enter");
  await page.waitForSelector(".letter");
  await seen("letters");
  await fresh("lea-query");
  const { name, password } = desk.person;
  for (const code of desk.person.codes.splice(0, 6)) await page.request.post("/v1/session", { data: { name, password, code } });
  await page.context().clearCookies({ name: "__Host-ccpor-session" });
  await page.goto("/log-on");
  await desk.credentials();
  await page.waitForSelector(".usa-alert--slim");
  await seen("few-codes");
  await page.goto("/account");
  await seen("own-account-few-codes");
  await fresh("auditor");
  await page.goto("/audit");
  await seen("audit");
  await page.locator("#purpose").fill("weekly review");
  await page.locator("#purpose").press("Enter");
  await page.waitForSelector("#found");
  await seen("audit-found");
  await page.locator("#order").fill("BW69");
  await page.locator("#order").press("Enter");
  await page.waitForSelector("#problem");
  await seen("audit-refused");
  await fresh("operator");
  await page.goto("/machine");
  await seen("machine");
}

const shown = new Set(["log-on", "search", "answers", "no-match", "order", "service", "entry-checked", "between-answers", "machine", "reports", "today", "bench", "card", "scans-refused", "entry-scan"]);

for (const [name, options] of [["wide", {}], ["320 px", { width: 320, height: 640 }]]) {
  it(`the hub's page has no violation and is read without scrolling sideways, ${name}`, async () => {
    const desk = await Desk.open(browser, stand, { machine: "hub", ...options });
    await desk.logOn("operator");
    await desk.isAccessible(`hub, ${name}`);
    await desk.fits(`hub, ${name}`);
    for (const path of ["/reports", "/machine?court=court/kern"]) {
      await desk.page.goto(path);
      await desk.isAccessible(`hub, ${path}, ${name}`);
      await desk.fits(`hub, ${path}, ${name}`);
    }
    await desk.page.goto("/machine");
    if (name === "wide") await desk.page.screenshot({ path: `${pictures}/hub.png` });
    await desk.close();
  });
}

for (const language of ["en", "es"]) {
  it(`no state has a violation, ${language}`, async () => {
    const desk = await Desk.open(browser, stand, { language });
    await states(desk, async (state) => {
      await desk.isAccessible(`${state}, ${language}`);
      if (language === "en" && shown.has(state)) await desk.page.screenshot({ path: `${pictures}/${state}.png` });
    });
    await desk.close();
  });
  // 400 % of a screen of 1280 px is the same as a screen of 320 px; both are looked at, as people meet both.
  for (const [name, options] of [["320 px", { width: 320, height: 640 }], ["400 %", { width: 320, height: 256 }]]) {
    it(`every state is read without scrolling sideways at ${name}, ${language}`, async () => {
      const desk = await Desk.open(browser, stand, { language, ...options });
      await states(desk, async (state) => {
        await desk.fits(`${state}, ${name}`);
        await desk.isAccessible(`${state}, ${name}, ${language}`);
      });
      await desk.close();
    });
  }
}
