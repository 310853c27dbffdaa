// What is printed: the history between two people for the bench, the officer's card on one sheet, and the copy for service, which says
// nothing but what it may.

import { describe } from "node:test";
import assert from "node:assert/strict";
import { after, before, Desk, it, startBrowser, startStand, wordsOf } from "./stand.mjs";

let browser, stand;

before(async () => {
  [stand, browser] = await Promise.all([startStand(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  await stand?.stop();
});

/** How many sheets a page takes on paper. */
async function sheets(page) {
  await page.emulateMedia({ media: "print" });
  const paper = (await page.pdf({ format: "Letter", preferCSSPageSize: true })).toString("latin1");
  await page.emulateMedia({ media: "screen" });
  return paper.match(/\/Type\s*\/Page\b/g).length;
}

for (const [language, scripts] of [["en", true], ["es", false]]) {
  describe(`${language}, scripts ${scripts ? "on" : "off"}`, () => {
    const words = wordsOf(language);
    const open = async (role) => {
      const desk = await Desk.open(browser, stand, { language, scripts });
      await desk.logOn(role);
      return desk;
    };

    it("a judge reads and prints every order between two people in any court, with papers, moment and reference", async () => {
      const desk = await open("judge");
      await desk.tabTo(words.nav_between);
      await desk.enter();
      await desk.type(words.between_one, "Doe, John 1985");
      await desk.type(words.between_other, "Doe, Jane");
      await desk.enter();
      await desk.tabTo(words.bench_title);
      await desk.enter();
      assert.equal(await desk.heading(), words.bench_title);
      assert.ok(!/doe/i.test(desk.page.url()));
      assert.equal(await desk.page.locator(".bench").count(), 2);
      await desk.says("FL-26-004417");
      await desk.says("BF-26-019");
      await desk.says(words.statewide_complete);
      await desk.says(words.reference);
      await desk.says(words.no_service);
      await desk.says("D. Ramos");
      assert.ok((await desk.page.locator(".bench-page").count()) >= 3);
      // The newest order stands first.
      assert.match(await desk.page.locator(".bench").first().innerText(), /FL-26-004417/);
      assert.ok((await sheets(desk.page)) >= 2);
      await desk.close();
    });

    it("an officer's card has everything that is needed at the door, on one sheet", async () => {
      const desk = await open("lea-service");
      await desk.page.goto(`/orders/${stand.orders.unserved}`);
      await desk.tabTo(words.card_title);
      await desk.enter();
      for (const needed of [/DOE, JOHN/i, "1985-03-12", "D4471882", "8ABC123", "510-555-0117", words.badge_not_served, words.aloud_title, words.statewide_complete]) {
        await desk.says(needed);
      }
      assert.equal(await sheets(desk.page), 1);
      await desk.close();
    });

    it("the copy for service says what the order says to the restrained person, and nothing else of anybody", async () => {
      const desk = await open("lea-service");
      await desk.page.goto(`/orders/${stand.orders.unserved}`);
      await desk.tabTo(words.copy_for_service);
      await desk.enter();
      for (const said of [/DOE, JOHN/i, /DOE, JANE/i, "FL-26-004417", "2029-11-20", words.copy_governs]) await desk.says(said);
      const text = await desk.page.locator("main").innerText();
      for (const kept of ["1985", "1987", "2015", "D4471882", "8ABC123", "Tattoo", "Johnny", "Alvarez", "court/alameda"]) {
        assert.ok(!text.includes(kept), kept);
      }
      assert.equal(await sheets(desk.page), 1);
      await desk.close();
    });
  });
}
