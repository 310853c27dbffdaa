// Starts the stand and the browser, and what the tests of all pages share: a person at a desk who uses the keyboard alone.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { after as hookAfter, before as hookBefore, it as test } from "node:test";
import assert from "node:assert/strict";

// A browser that stops answering ends one test with its name, not the run without a word.
const deadline = { timeout: 120_000 };
export const it = (name, body) => test(name, deadline, body);
export const before = (body) => hookBefore(body, deadline);
export const after = (body) => hookAfter(body, deadline);

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const axe = readFileSync(here("node_modules/axe-core/axe.min.js"), "utf8");

/** The real daemons with the pages before them. */
export async function startStand() {
  const program = spawn(here(`../../target/${process.env.CCPOR_PROFILE ?? "debug"}/stand`), { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: program.stdout });
  const answer = () =>
    new Promise((resolve, reject) => {
      const ended = (code) => reject(new Error(`the stand ended with ${code}`));
      program.once("exit", ended);
      lines.once("line", (line) => {
        program.off("exit", ended);
        resolve(JSON.parse(line));
      });
    });
  const stand = await answer();
  /** A new account: name, password and codes, or with "letter" only the name and the code of the letter. */
  stand.account = async (role, court = "alameda", letter = "") => {
    program.stdin.write(`${court} ${role} ${letter}\n`);
    return answer();
  };
  stand.stop = () =>
    new Promise((resolve) => {
      program.once("exit", resolve);
      program.stdin.end();
    });
  return stand;
}

/** Debian's Chromium, with nothing that would ask other hosts. */
export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A browser of one person. Anything that a page asks of another host, or that its policy forbids, fails the test. */
export class Desk {
  static async open(browser, stand, { language = "en", scripts = true, width = 1280, height = 800, machine = "alameda" } = {}) {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      javaScriptEnabled: scripts,
      locale: language === "es" ? "es-MX" : "en-US",
      baseURL: stand[machine],
      viewport: { width, height },
      reducedMotion: "reduce",
    });
    const desk = new Desk();
    desk.scripts = scripts;
    desk.context = context;
    desk.stand = stand;
    desk.machine = machine;
    desk.words = wordsOf(language);
    desk.faults = [];
    desk.page = await context.newPage();
    const goto = desk.page.goto.bind(desk.page);
    desk.page.goto = async (...address) => {
      const answer = await goto(...address);
      await desk.focusIsSet();
      return answer;
    };
    desk.page.on("request", (request) => {
      // The browser's own viewer of PDF files is no other host.
      const elsewhere = /^(https?|wss?):/.test(request.url()) && !request.url().startsWith(stand[machine]);
      if (elsewhere) desk.faults.push(`asked ${request.url()}`);
    });
    desk.page.on("pageerror", (error) => desk.faults.push(`script: ${error}`));
    desk.page.on("console", (message) => {
      if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) desk.faults.push(message.text());
    });
    desk.page.on("dialog", (dialog) => {
      desk.faults.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    return desk;
  }

  async close() {
    assert.deepEqual(this.faults, []);
    await this.context.close();
  }

  /** Goes to the control with this name by the Tab key alone. */
  async tabTo(name, most = 180) {
    for (let presses = 0; presses < most; presses += 1) {
      const focused = await this.focused();
      if (name instanceof RegExp ? name.test(focused) : focused === name) return;
      await this.page.keyboard.press("Tab");
    }
    assert.fail(`the keyboard does not reach ${name}; it is on ${await this.focused()}`);
  }

  /** The name of what has the focus, as a screen reader says it: from the accessibility tree, so that it works without scripts. */
  async focused() {
    const cdp = (this.cdp ??= await this.context.newCDPSession(this.page));
    const { nodes } = await cdp.send("Accessibility.getFullAXTree");
    const has = (node) => node.properties?.some((one) => one.name === "focused" && one.value.value);
    const node = nodes.filter(has).at(-1);
    return (node?.name?.value ?? "").trim();
  }

  async type(name, text) {
    await this.tabTo(name);
    await this.page.keyboard.press("Control+A");
    await this.page.keyboard.type(text);
  }

  /** Presses Enter and waits for the page that follows. */
  async enter(key = "Enter") {
    await Promise.all([this.page.waitForEvent("framenavigated"), this.page.keyboard.press(key)]);
    await this.page.waitForLoadState("load");
    await this.focusIsSet();
  }

  /** Waits where a page sets the focus by itself: the browser does so only when it draws, after the page is loaded. */
  async focusIsSet() {
    const itself = await this.page.locator("[autofocus]:visible").count();
    if (itself > 0) await this.page.locator(":focus").first().waitFor({ state: "attached" });
  }

  /** A new person of this role logs on by keyboard. */
  async logOn(role) {
    this.person = await this.stand.account(role, this.machine);
    await this.page.goto("/log-on");
    await this.credentials();
  }

  /** The person of this desk types name, password and a code that was not used before. */
  async credentials(person = this.person) {
    await this.type(this.words.account_name, person.name);
    await this.type(this.words.password, person.password);
    await this.type(this.words.code, person.codes.shift());
    await this.enter();
  }

  /** Files an order as the form of the entry does it, without the typing; gives its number. */
  async file(fields) {
    await this.page.goto("/entry");
    const hidden = (name) => this.page.locator(`.entry input[name=${name}]`).inputValue();
    const form = { form_token: await hidden("form_token"), by: await hidden("by"), key: await hidden("key"), step: "file", form: "DV-130", issued: "2026-11-20", expires: "2029-11-20", first: "Sam", term_no_contact: "on", ...fields };
    const answer = await this.page.request.post("/entry", { form, maxRedirects: 0, headers: { "sec-fetch-site": "same-origin" } });
    return answer.headers().location.match(/orders\/([^?]+)/)[1];
  }

  async says(text) {
    const shown = await this.page.locator("body").innerText();
    const found = text instanceof RegExp ? text.test(shown) : shown.includes(text);
    assert.ok(found, `${text} is not on the page:\n${shown}`);
  }

  heading() {
    return this.page.locator("h1").innerText();
  }

  path() {
    return new URL(this.page.url()).pathname;
  }

  /** No violation of WCAG 2.0, 2.1 and 2.2, levels A and AA, as far as a program can see it. */
  async isAccessible(state) {
    // The policy of the pages forbids scripts that are not theirs, so the checker is run from outside of it.
    const cdp = await this.context.newCDPSession(this.page);
    await cdp.send("Runtime.evaluate", { expression: axe });
    const run = `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }).then((result) =>
      JSON.stringify(result.violations.map((one) => one.id + ": " + one.help + " " + one.nodes.map((node) => node.html).join(" | "))))`;
    const answer = await cdp.send("Runtime.evaluate", { expression: run, awaitPromise: true, returnByValue: true });
    assert.ok(!answer.exceptionDetails, JSON.stringify(answer.exceptionDetails));
    const violations = JSON.parse(answer.result.value);
    assert.deepEqual(violations, [], `${state}: ${violations.join("\n")}`);
    await cdp.detach();
  }

  /** Nothing has to be scrolled sideways to be read. */
  async fits(state) {
    const cdp = await this.context.newCDPSession(this.page);
    const sizes = await cdp.send("Page.getLayoutMetrics");
    const [wide, seen] = [sizes.cssContentSize.width, sizes.cssLayoutViewport.clientWidth];
    assert.ok(wide <= seen + 1, `${state}: ${wide} px of content in ${seen} px`);
    await cdp.detach();
  }
}

/** The catalogue of words of a language, as the pages have it. */
export function wordsOf(language) {
  const text = readFileSync(here(`../../common/web/words/${language}.txt`), "utf8");
  const lines = text.split("\n").filter((line) => line && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(" = ")), line.slice(line.indexOf(" = ") + 3).trim()]));
}
