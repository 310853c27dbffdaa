// The reports by keyboard: statistics and errors of a node and of the hub, of one court and of all, printed with their moment, as tables,
// and who may not see them.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { after, before, Desk, it, startBrowser, startStand, wordsOf } from "./stand.mjs";

let stand;
let browser;
let number;

before(async () => {
  [stand, browser] = await Promise.all([startStand(), startBrowser()]);
  // Before anybody asks for the first count: a later order is counted a minute later.
  const clerk = await Desk.open(browser, stand);
  await clerk.logOn("court");
  number = await clerk.file({ last: "Quillfeather", first: "Ann", case_number: "FL-27-ERRORS" });
  await clerk.close();
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

    it("a supervisor finds the errors of the own court's orders and follows one to its order", async () => {
      const desk = await open("supervisor");
      await desk.page.goto("/reports");
      await desk.says(`${words.faults_title}: Alameda`);
      await desk.says(words.fault_no_image);
      const table = await lines(desk, "/reports/errors.csv");
      assert.equal(table[0], "as_of,court,order,error,fields,detail,since");
      assert.ok(table.slice(1).every((line) => line.includes(",court/alameda,")));
      const listed = await desk.page.locator("[aria-labelledby=rows] tbody tr", { hasText: number }).allInnerTexts();
      assert.ok(listed.some((row) => row.includes(`${words.fault_missing}: `)), listed.join("\n"));
      assert.ok(!(await desk.page.content()).includes("Quillfeather"));
      await desk.tabTo(number);
      await desk.enter();
      assert.equal(desk.path(), `/orders/${number}`);
      await desk.page.goto("/reports");
      await choose(desk, "Kern");
      assert.ok(!(await desk.page.locator("body").innerText()).includes(words.faults_title), "each court puts its own data right");
      assert.equal((await desk.page.request.get("/reports/errors.csv?court=court/kern")).status(), 403);
      await desk.close();
    });

    it("the operator of the hub reads the errors of any court, by number alone", async () => {
      const desk = await open("operator", { machine: "hub" });
      await desk.page.goto("/reports");
      await desk.says(`${words.faults_title}: ${words.filter_all_courts}`);
      await choose(desk, "Kern");
      const rows = await desk.page.locator("[aria-labelledby=rows] tbody tr").allInnerTexts();
      assert.ok(rows.length > 0 && rows.every((row) => row.includes("Kern")), rows.join("\n"));
      assert.equal(await desk.page.locator("[aria-labelledby=rows] a").count(), 0);
      const kern = await lines(desk, "/reports/errors.csv?court=court/kern");
      assert.equal(kern.length, 1 + rows.length);
      const all = await lines(desk, "/reports/errors.csv");
      assert.ok(all.length > kern.length);
      assert.ok(!/Doe|Quillfeather|FL-2|1985/i.test(all.join("\n")));
      await desk.close();
    });

    it("the hub draws the lag of one court that is chosen, says the same as a table, and lets it be taken along", async () => {
      const desk = await open("operator", { machine: "hub" });
      await desk.page.goto("/machine");
      assert.equal(await desk.page.locator("#course-court").count(), 0);
      await desk.tabTo(words.course_court);
      await desk.page.keyboard.type("Kern");
      await desk.tabTo(words.reports_choose);
      await desk.enter();
      assert.equal(await desk.page.locator("#court-lag").innerText(), "Kern");
      assert.equal(await desk.page.locator("#course-court").innerText(), words.course_court_lag);
      // A hub that has just started looks at the ages of its copies every ten seconds.
      while ((await desk.page.locator("figure:has(#course-court) rect").count()) === 0) await desk.page.reload();
      await desk.tabTo(words.course_court_csv);
      const table = await lines(desk, await desk.page.locator("a", { hasText: words.course_court_csv }).getAttribute("href"));
      assert.equal(table[0], "from,court,age_seconds");
      assert.ok(table.length > 1 && table.slice(1).every((line) => line.split(",")[1] === "court/kern"));
      assert.equal((await lines(desk, "/machine/course.csv"))[0], "from,orders,look_ups,greatest_age_seconds");
      await desk.page.goto("/machine?court=court/nowhere");
      assert.equal(await desk.page.locator("#court-lag").count(), 0);
      if (scripts) {
        await desk.page.goto("/machine?court=court/kern");
        await desk.isAccessible(`the lag of one court, ${language}`);
      }
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
      assert.ok(!(await desk.page.locator("body").innerText()).includes(words.faults_title), "no errors for who keeps accounts");
      const paper = (await desk.page.pdf({ format: "Letter", preferCSSPageSize: true })).toString("latin1");
      assert.ok(paper.match(/\/Type\s*\/Page\b/g).length >= 1);
      await desk.close();
    });

    it("nobody else reads them", async () => {
      for (const role of ["court", "query", "judge", "lea-service", "auditor"]) {
        const desk = await open(role);
        for (const path of ["/reports", "/reports/statistics.csv", "/reports/errors.csv"]) {
          assert.equal((await desk.page.request.get(path)).status(), 403, `${role} ${path}`);
        }
        assert.ok(!(await desk.page.locator("nav").innerText()).includes(words.nav_reports), role);
        await desk.close();
      }
    });
  });
}
