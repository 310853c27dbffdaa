// The audit trail as auditors read it: a search by form, rows that name no person, paging, the table, and who may not read it.

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

for (const [language, scripts] of [["en", true], ["es", false]]) {
  const words = wordsOf(language);
  const open = async (role, more = {}) => {
    const desk = await Desk.open(browser, stand, { language, scripts, ...more });
    await desk.logOn(role);
    return desk;
  };
  const lookUp = async (desk, fields) => {
    await desk.page.goto("/audit");
    await desk.type(words.audit_why, "complaint 26-11");
    for (const [label, text] of Object.entries(fields)) await desk.type(label, text);
    await desk.tabTo(words.audit_ask);
    await desk.enter();
  };
  const rows = (desk) => desk.page.locator("section:has(#found) tbody tr");

  describe(`the audit trail, ${language}, scripts ${scripts ? "on" : "off"}`, () => {
    it("an auditor finds what an officer did, and neither page nor address names the person", async () => {
      const officer = await open("lea-service");
      await officer.page.goto("/search");
      await officer.type(words.line, "ZYZZYVA,QUINTILLA 19850312");
      await officer.enter();
      const desk = await open("auditor");
      assert.equal(desk.path(), "/audit");
      await desk.tabTo(words.audit_ask);
      await desk.enter();
      assert.equal(await rows(desk).count(), 0, "nothing without a reason");
      await lookUp(desk, { [words.audit_who]: officer.person.name });
      const found = await rows(desk).allInnerTexts();
      const looked = found.filter((row) => row.includes("look-up"));
      assert.equal(looked.length, 1, found.join("\n"));
      assert.ok(looked[0].includes(officer.person.name));
      assert.ok(!(await desk.page.content()).includes("ZYZZYVA"));
      assert.match(desk.path(), /^\/audit\/[0-9a-f]{32}$/);
      await desk.says("court/alameda/node/1");
      const table = await desk.page.request.get(`${desk.path()}/trail.csv`);
      const lines = (await table.text()).trim().split("\n");
      assert.equal(lines.length, 1 + found.length);
      assert.ok(!lines.join("\n").includes("ZYZZYVA"));
      await officer.close();
      await desk.close();
    });

    it("reading the trail stands in the trail, and older pages are reached by links", async () => {
      const desk = await open("auditor");
      await lookUp(desk, { [words.audit_who]: desk.person.name });
      await desk.page.reload();
      const own = (await rows(desk).allInnerTexts()).filter((row) => row.includes("audit-search"));
      assert.ok(own.length >= 1);
      for (let more = 0; more < 55; more += 1) await desk.page.reload();
      assert.equal(await rows(desk).count(), 50);
      await desk.tabTo(words.audit_onward);
      await desk.enter();
      assert.ok((await rows(desk).count()) >= 5);
      await desk.tabTo(words.audit_newest);
      await desk.enter();
      assert.equal(await rows(desk).count(), 50);
      await desk.close();
    });

    it("what was not understood is said, with the form as it was", async () => {
      const desk = await open("auditor");
      await lookUp(desk, { [words.registry_number]: "BW69" });
      await desk.says(words.problem_title);
      assert.equal(await desk.page.locator("#order").inputValue(), "BW69");
      await desk.close();
    });

    it("nobody else reads it, and no auditor another's page", async () => {
      const auditor = await open("auditor");
      await lookUp(auditor, {});
      const path = auditor.path();
      for (const role of ["supervisor", "administrator", "lea-service"]) {
        const desk = await open(role);
        for (const tried of ["/audit", path, `${path}/trail.csv`]) {
          assert.equal((await desk.page.request.get(tried)).status(), 403, `${role} ${tried}`);
        }
        await desk.close();
      }
      const second = await open("auditor");
      await second.page.goto(path);
      assert.equal(second.path(), "/audit");
      for (const desk of [auditor, second]) await desk.close();
    });

    it("the hub shows its own trail and the copies that it keeps", async () => {
      const desk = await open("auditor", { machine: "hub" });
      await lookUp(desk, {});
      await desk.says("hub/1");
      if (scripts) await desk.isAccessible(`the hub's audit trail, ${language}`);
      await desk.close();
    });
  });
}
