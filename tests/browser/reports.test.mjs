// The reports by keyboard: statistics of a node and of the hub, of one court and of all, printed with their moment, as a table, and who
// may not see them.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { after, before, Desk, it, startBrowser, startStand, wordsOf } from "./stand.mjs";

let stand;
let browser;

before(async () => {
  [stand, browser] = await Promise.all([startStand(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  await stand?.stop();
});

/** The lines of a table for other programs. */
async function lines(desk, path) {
  const answer = await desk.page.request.get(path);
  assert.equal(answer.status(), 200, path);
  assert.match(answer.headers()["content-type"], /text\/csv/);
  return (await answer.text()).trim().split("\n");
}

/** The figure of an entry of the page's list. */
const fact = (desk, name) => desk.page.locator("dl.facts div", { hasText: name }).first().locator("dd").innerText();

for (const [language, scripts] of [["en", true], ["en", false], ["es", true], ["es", false]]) {
  const words = wordsOf(language);
  const open = async (role, more = {}) => {
    const desk = await Desk.open(browser, stand, { language, scripts, ...more });
    await desk.logOn(role);
    return desk;
  };
  const choose = async (desk, court) => {
    await desk.tabTo(words.court);
    await desk.page.keyboard.type(court);
    await desk.tabTo(words.reports_choose);
    await desk.enter();
  };

  describe(`${language}, scripts ${scripts ? "on" : "off"}`, () => {
    it("a supervisor reads the statistics of the own court first, then of another and of all", async () => {
      const desk = await open("supervisor");
      await desk.tabTo(words.nav_reports);
      await desk.enter();
      assert.equal(await desk.heading(), words.reports_title);
      await desk.says(words.statewide_complete);
      await desk.says(`${words.statistics_title}: Alameda`);
      const own = Number(await fact(desk, words.machine_orders));
      assert.ok(own > 0);
      await choose(desk, "Kern");
      await desk.says(`${words.statistics_title}: Kern`);
      const kern = Number(await fact(desk, words.machine_orders));
      await choose(desk, words.filter_all_courts);
      assert.equal(Number(await fact(desk, words.machine_orders)), own + kern);
      assert.equal(await desk.page.locator("[aria-labelledby=each] tbody tr").count(), 2);
      assert.equal(await desk.page.locator("[aria-labelledby=filed] tbody tr").count(), 12);
      await desk.close();
    });

    it("the hub shows every court, on the page and as a table, and names nobody", async () => {
      const desk = await open("operator", { machine: "hub" });
      await desk.page.goto("/reports");
      await desk.says(`${words.statistics_title}: ${words.filter_all_courts}`);
      await desk.says("DV-130");
      const table = await lines(desk, "/reports/statistics.csv");
      assert.equal(table[0], "as_of,court,figure,form,state,month,count");
      const orders = table.filter((line) => line.includes(",orders,")).map((line) => Number(line.split(",").at(-1)));
      const all = Number(await fact(desk, words.machine_orders));
      assert.equal(orders.reduce((sum, count) => sum + count, 0), all);
      const text = `${table.join("\n")}${await desk.page.content()}`;
      for (const name of ["Doe", "DOE", "FL-26", "1985"]) assert.ok(!text.includes(name), name);
      if (scripts) await desk.isAccessible(`the hub's reports, ${language}`);
      await desk.close();
    });

    it("on paper it says up to when it holds, who printed it and when", async () => {
      const desk = await open("administrator");
      await desk.page.goto("/reports");
      await desk.page.emulateMedia({ media: "print" });
      await desk.says(words.as_of.split("{")[0].trim());
      await desk.says(words.reports_printed);
      await desk.says(desk.person.name);
      assert.ok(!(await desk.page.locator(".choose").isVisible()));
      const paper = (await desk.page.pdf({ format: "Letter", preferCSSPageSize: true })).toString("latin1");
      assert.ok(paper.match(/\/Type\s*\/Page\b/g).length >= 1);
      await desk.close();
    });

    it("nobody else reads them", async () => {
      for (const role of ["court", "query", "judge", "lea-service", "auditor"]) {
        const desk = await open(role);
        for (const path of ["/reports", "/reports/statistics.csv"]) {
          assert.equal((await desk.page.request.get(path)).status(), 403, `${role} ${path}`);
        }
        assert.ok(!(await desk.page.locator("nav").innerText()).includes(words.nav_reports), role);
        await desk.close();
      }
    });
  });
}
