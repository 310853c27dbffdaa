// The line that says up to when: it moves by itself where scripts run, stands still where none does, and keeps no session open.

import assert from "node:assert/strict";
import { after, before, Desk, it, startBrowser, startStand, wordsOf } from "./stand.mjs";

let browser, stand;
const words = wordsOf("en");

before(async () => {
  [stand, browser] = await Promise.all([startStand(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  await stand?.stop();
});

const line = (desk) => desk.page.locator("[data-live]").innerText();
const orders = async (desk) => Number((await line(desk)).match(/([\d,]+) orders/)[1].replaceAll(",", ""));

it("an order that somebody files is counted on the page of somebody else, without a word said aloud", async () => {
  const [dispatcher, clerk] = [await Desk.open(browser, stand), await Desk.open(browser, stand)];
  await dispatcher.logOn("lea-query");
  await clerk.logOn("court");
  assert.ok((await line(dispatcher)).includes(words.statewide_complete));
  const before = await orders(dispatcher);
  await dispatcher.page.locator("#line").fill("Doe, Jo");
  await clerk.file({ last: "Counted", case_number: "FL-LIVE" });
  await dispatcher.page.waitForFunction((before) => Number(document.querySelector("[data-live]").textContent.match(/([\d,]+) orders/)[1].replaceAll(",", "")) > before, before, { timeout: 15000 });
  assert.equal(await dispatcher.page.locator("[data-said]").innerText(), "");
  // What was being typed is where it was.
  assert.equal(await dispatcher.page.locator("#line").inputValue(), "Doe, Jo");
  await dispatcher.isAccessible("live");
  await dispatcher.close();
  await clerk.close();
});

it("what catches up is shown as a bar while it does, with the numbers in words", async () => {
  const desk = await Desk.open(browser, stand);
  const events = ["event: as-of", "data: incomplete", "data: a line", "data: not complete", "data: courts 1 2 Courts: 1 of 2", "data: records 7 7 Records: 7 of 7", "", ""];
  await desk.page.route("**/live", (route) => route.fulfill({ contentType: "text/event-stream", body: events.join("\n") }));
  await desk.logOn("lea-query");
  const [courts, records] = ["courts", "records"].map((name) => desk.page.locator(`[data-bar=${name}]`));
  await courts.waitFor({ state: "visible" });
  assert.equal(await courts.locator("span").innerText(), "Courts: 1 of 2");
  assert.deepEqual(await courts.locator("progress").evaluate((bar) => [bar.value, bar.max]), [1, 2]);
  assert.equal(await records.isVisible(), false);
  await desk.isAccessible("catching up");
  await desk.close();
});

it("without scripts the line says the moment of the page", async () => {
  const desk = await Desk.open(browser, stand, { scripts: false });
  await desk.logOn("lea-query");
  assert.match(await line(desk), /As of .*2 of 2 courts/);
  await desk.close();
});

it("a stream that is only listened to keeps no session open, and says when it is over", async () => {
  const desk = await Desk.open(browser, stand, { machine: "kern", scripts: false });
  await desk.logOn("court");
  // The answer is there when the stream has ended.
  const answer = await desk.page.request.get("/live", { timeout: 30000 });
  assert.match(await answer.text(), /event: as-of[^]*event: over/);
  await desk.close();
});
