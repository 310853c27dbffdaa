// What a clerk does with orders that are there: change, follow, copy, end, cancel, seal. By keyboard alone, scripts on and off; two
// people at one order, forms that are sent twice, and sessions that end in the middle.

import { describe } from "node:test";
import assert from "node:assert/strict";
import { after, before, Desk, it, startBrowser, startStand, wordsOf } from "./stand.mjs";

let browser, stand, made = 0;

before(async () => {
  [stand, browser] = await Promise.all([startStand(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  await stand?.stop();
});

for (const [language, scripts] of [["en", true], ["es", false]]) {
  describe(`${language}, scripts ${scripts ? "on" : "off"}`, () => {
    const words = wordsOf(language);
    const open = async (role) => {
      const desk = await Desk.open(browser, stand, { language, scripts });
      await desk.logOn(role);
      return desk;
    };
    /** Somebody nobody else's test knows. */
    const somebody = () => ({ last: `Quist${(made += 1)}`, case_number: `FL-27-${made}` });
    const go = async (desk, number, words) => {
      await desk.page.goto(`/orders/${number}`);
      await desk.tabTo(words);
      await desk.enter();
    };

    it("a clerk sees what is left to do, and does it", async () => {
      const desk = await open("court");
      const person = somebody();
      const number = await desk.file({ ...person, issued: "2026-11-02", expires: "2026-12-20" });
      await desk.tabTo(words.nav_today);
      await desk.enter();
      assert.equal(await desk.heading(), words.today_title);
      const listed = (list) => desk.page.locator(`#${list}-list`).innerText();
      const named = new RegExp(person.last, "i");
      for (const list of ["unserved", "expiring", "incomplete"]) assert.match(await listed(list), named, list);
      assert.ok((await listed("incomplete")).includes(words.today_no_image));
      assert.ok((await listed("late")).includes(number));
      await desk.page.goto(`/orders/${number}/service`);
      await desk.type(words.officer, "R. Alvarez");
      await desk.enter();
      await desk.page.goto("/today");
      assert.doesNotMatch(await listed("unserved"), named);
      assert.match(await listed("expiring"), named);
      await desk.close();
    });

    it("what is typed is kept on the machine while it is typed, and gone on with in another window", async () => {
      const desk = await open("court");
      const { case_number, last } = somebody();
      await desk.page.goto("/entry");
      const kept = scripts && desk.page.waitForResponse((answer) => answer.url().endsWith("/draft") && answer.request().postData()?.includes(case_number));
      await desk.type(words.last_name, last);
      await desk.type(words.case_number, case_number);
      // Without scripts a form is kept when it is sent to be checked.
      if (scripts) assert.equal((await kept).status(), 204);
      else await desk.enter();
      await desk.page.goto("/today");
      await desk.says(words.draft_title);
      await desk.tabTo(case_number);
      await desk.enter();
      await desk.says(words.restored);
      assert.equal(await desk.page.locator("#last").inputValue(), last);
      await desk.tabTo(words.draft_forget);
      await desk.enter();
      assert.ok(!(await desk.page.locator("body").innerText()).includes(words.draft_title));
      await desk.close();
    });

    it("a clerk changes one field of an order, and everything else stays", async () => {
      const desk = await open("court");
      // The order of the unserved case has what the form has no field for.
      const number = scripts ? stand.orders.unserved : stand.orders.to_serve[0];
      await go(desk, number, words.amend_title);
      assert.equal(await desk.heading(), words.amend_title);
      assert.equal(await desk.page.locator("#yards").inputValue(), "100");
      await desk.type(words.yards, "150");
      await desk.enter();
      await desk.says(words.checked_title);
      await desk.type(scripts ? words.clash_reason : words.change_reason, "The court enlarged the distance");
      await desk.tabTo(words.file_change);
      await desk.enter();
      await desk.says(words.done_amended);
      await desk.says("150");
      await desk.says(words.step_amended);
      await desk.says("The court enlarged the distance");
      if (scripts) {
        await desk.says("Tattoo of an anchor");
        await desk.says("8ABC123");
      }
      await desk.close();
    });

    it("two clerks change the same order: nobody's words are lost, and the second is told what the first changed", async () => {
      const [one, other] = [await open("court"), await open("court")];
      const number = await one.file(somebody());
      for (const desk of [one, other]) await desk.page.goto(`/orders/${number}/amend`);
      await one.type(words.fact_judge, "Hon. A. First");
      await one.type(words.fact_department, "12");
      await one.enter();
      await one.tabTo(words.file_change);
      await one.enter();
      await one.says(words.done_amended);
      await other.type(words.fact_judge, "Hon. B. Second");
      await other.type(words.person_marks, "Scar on the chin");
      await other.enter();
      await other.says(words.changed_title);
      await other.says("Hon. A. First");
      await other.says(words.changed_contested);
      assert.equal(await other.page.locator("#judge").inputValue(), "Hon. B. Second");
      assert.equal(await other.page.locator("#department").inputValue(), "12");
      if (scripts) await other.isAccessible("changed meanwhile");
      await other.tabTo(words.file_change);
      await other.enter();
      await other.says(words.done_amended);
      await other.says("Hon. B. Second");
      await other.says("Scar on the chin");
      await one.close();
      await other.close();
    });

    it("the entry asks for what the chosen kind of order has, and hides nothing that is filled in", async () => {
      const desk = await open("court");
      await desk.page.goto("/entry");
      const person = desk.page.locator("[data-part=protected]").first();
      const shown = async () => [await person.isVisible(), await desk.page.locator("#term_no_contact").isVisible(), await desk.page.locator("#custody").isVisible()];
      const choose = async (form) => {
        await desk.page.locator("#form").selectOption(form);
        if (scripts) return;
        // Without scripts the page follows when the form is checked.
        await desk.page.locator("#case_number").focus();
        await desk.enter();
      };
      assert.deepEqual(await shown(), [true, true, true]);
      await choose("GV-130");
      assert.deepEqual(await shown(), [false, false, false]);
      assert.equal(await desk.page.locator("#term_firearms").isVisible(), true);
      if (scripts) await desk.isAccessible(`entry of a gun violence order, ${language}`);
      await choose("CH-130");
      assert.deepEqual(await shown(), [true, true, false]);
      await desk.page.locator("#p1_last").fill("Vale");
      await choose("GV-130");
      assert.deepEqual(await shown(), [true, false, false]);
      assert.equal(await desk.page.locator("#p1_last").inputValue(), "Vale");
      await desk.close();
    });

    it("an order is renewed: the people and terms are taken over, and the one before it ends", async () => {
      const desk = await open("court");
      const number = await desk.file(somebody());
      await go(desk, number, words.renew_title);
      assert.match(await desk.page.locator("#last").inputValue(), /Quist/);
      assert.equal(await desk.page.locator("#expires").inputValue(), "");
      await desk.page.locator("#issued").fill("2026-11-24");
      await desk.page.locator("#expires").fill("2031-11-24");
      await desk.page.locator("#issued").focus();
      await desk.enter();
      await desk.says(words.checked_title);
      await desk.says(words.no_clash);
      await desk.tabTo(words.file_order);
      await desk.enter();
      await desk.says(words.done_filed);
      await desk.says("2031-11-24");
      await desk.page.goto(`/orders/${number}`);
      await desk.says(words.status_superseded);
      await desk.close();
    });

    it("a temporary order is continued to a new hearing, and an order is the beginning of another one", async () => {
      const desk = await open("court");
      const number = await desk.file({ ...somebody(), form: "DV-110", expires: "2026-12-11", hearing_date: "2026-12-11" });
      await go(desk, number, words.continue_title);
      await desk.page.locator("#issued").fill("2026-11-25");
      await desk.page.locator("#expires").fill("2027-01-08");
      await desk.page.locator("#hearing_date").fill("2027-01-08");
      await desk.page.locator("#issued").focus();
      await desk.enter();
      await desk.tabTo(words.file_order);
      await desk.enter();
      await desk.says(words.done_filed);
      await desk.says("2027-01-08");
      await desk.tabTo(words.copy_title);
      await desk.enter();
      assert.equal(await desk.heading(), words.copy_title);
      assert.match(await desk.page.locator("#last").inputValue(), /Quist/);
      await desk.close();
    });

    it("the court ends an order", async () => {
      const desk = await open("court");
      const number = await desk.file(somebody());
      await go(desk, number, words.end_title);
      await desk.type(words.act_reason, "Dismissed on request of the protected person");
      await desk.tabTo(words.end_do);
      await desk.enter();
      await desk.says(words.done_ended);
      await desk.says(words.status_terminated);
      await desk.says("Dismissed on request");
      await desk.close();
    });

    it("an entry made in error is cancelled by somebody else than the person who made it", async () => {
      const [one, other] = [await open("court"), await open("court")];
      const number = await one.file(somebody());
      await go(one, number, words.cancel_title);
      await one.says(words.needs_another);
      assert.equal(await one.page.locator("#reason").count(), 0);
      // Whoever does it past the page is told the same.
      const hidden = (name) => one.page.locator(`input[name=${name}]`).first().inputValue();
      const form = { form_token: await hidden("form_token"), by: await hidden("by"), key: "past-the-page", reason: "mine" };
      const past = await one.page.request.post(`/orders/${number}/cancel`, { form, headers: { "sec-fetch-site": "same-origin" } });
      assert.equal(past.status(), 422);
      await go(other, number, words.cancel_title);
      await other.type(words.act_reason, "Entered twice");
      await other.tabTo(words.cancel_do);
      await other.enter();
      await other.says(words.done_cancelled);
      await other.says(words.status_cancelled);
      await one.close();
      await other.close();
    });

    it("a supervisor seals an order, which the other clerks then do not find, and unseals it", async () => {
      const [clerk, supervisor] = [await open("court"), await open("supervisor")];
      const number = await clerk.file(somebody());
      await clerk.page.goto(`/orders/${number}`);
      assert.ok(!(await clerk.page.locator("body").innerText()).includes(words.seal_title));
      await go(supervisor, number, words.seal_title);
      await supervisor.type(words.act_reason, "Sealed by the court on 2026-11-25");
      await supervisor.tabTo(words.seal_do);
      await supervisor.enter();
      await supervisor.says(words.badge_sealed);
      assert.equal((await clerk.page.goto(`/orders/${number}`)).status(), 404);
      await go(supervisor, number, words.unseal_title);
      await supervisor.type(words.act_reason, "Unsealed");
      await supervisor.tabTo(words.unseal_do);
      await supervisor.enter();
      await supervisor.says(words.done_unsealed);
      assert.equal((await clerk.page.goto(`/orders/${number}`)).status(), 200);
      await clerk.close();
      await supervisor.close();
    });

    it("a change that is sent twice, and again with the back button, is one change", async () => {
      const desk = await open("court");
      const number = await desk.file(somebody());
      await desk.page.goto(`/orders/${number}/amend`);
      const hidden = (name) => desk.page.locator(`.entry input[name=${name}]`).inputValue();
      const form = { form_token: await hidden("form_token"), by: await hidden("by"), key: await hidden("key"), version: await hidden("version"), step: "file", form: "DV-130", issued: "2026-11-20", expires: "2029-11-20", last: `Quist${made}`, first: "Sam", case_number: `FL-27-${made}`, term_no_contact: "on", judge: "Hon. Once" };
      const send = () => desk.page.request.post(`/orders/${number}/amend`, { form, maxRedirects: 0, headers: { "sec-fetch-site": "same-origin" } });
      const answers = [...(await Promise.all([send(), send()])), await send()];
      for (const answer of answers) assert.match(answer.headers().location, /done=amended/);
      await desk.page.goto(`/orders/${number}`);
      const steps = await desk.page.locator(".step-what strong").allInnerTexts();
      assert.deepEqual(steps, [words.step_filed, words.step_amended]);
      await desk.close();
    });

    it("a session that ended in the middle of a change loses nothing, and a lacking reason is asked for", async () => {
      const desk = await open("court");
      const number = await desk.file(somebody());
      await desk.page.goto(`/orders/${number}/amend`);
      await desk.type(words.person_marks, "Mole, left cheek");
      await desk.context.clearCookies({ name: "__Host-ccpor-session" });
      await desk.enter();
      assert.equal(await desk.heading(), words.log_on_title);
      await desk.credentials();
      assert.equal(desk.path(), `/orders/${number}/amend`);
      await desk.says(words.restored);
      assert.equal(await desk.page.locator("#marks").inputValue(), "Mole, left cheek");
      await desk.page.goto(`/orders/${number}/end`);
      await desk.page.locator("#reason").evaluate((field) => field.removeAttribute("required")).catch(() => {});
      await desk.page.locator("#reason").fill(" ");
      await desk.page.locator("#reason").press("Enter");
      await desk.page.waitForSelector("#problem");
      await desk.says(words.reason_needed);
      await desk.close();
    });
  });
}
