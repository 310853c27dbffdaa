// Accounts as people keep them: a new one with its letter, changes with a fresh code, two who change one account, and everybody's own.

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
  const open = async (role) => {
    const desk = await Desk.open(browser, stand, { language, scripts });
    await desk.logOn(role);
    return desk;
  };
  /** The page of an account, as a person gets there. */
  const go = async (desk, name) => {
    await desk.page.goto("/users");
    await desk.tabTo(name);
    await desk.enter();
    assert.equal(await desk.heading(), name);
  };
  const choose = async (desk, act, more = async () => {}) => {
    await desk.page.locator(`#act-${act}`).focus();
    await desk.page.keyboard.press("Space");
    await more();
    await desk.type(words.code, desk.person.codes.shift());
    await desk.tabTo(words.account_do);
    await desk.enter();
  };

  describe(`accounts, ${language}, scripts ${scripts ? "on" : "off"}`, () => {
    it("an administrator makes an account, hands out its letter, and its person sets it up", async () => {
      const desk = await open("administrator");
      await desk.tabTo(words.nav_accounts);
      await desk.enter();
      await desk.tabTo(words.account_new);
      await desk.enter();
      const name = `n-${language}-${scripts ? 1 : 0}`;
      await desk.type(words.account_name, name);
      await desk.type(words.account_person, "<script>alert(1)</script> Núñez");
      await desk.page.locator("#role").selectOption("court");
      await desk.type(words.code, "000000");
      await desk.tabTo(words.account_make);
      await desk.enter();
      await desk.says(words.problem_title);
      assert.equal(await desk.page.locator("#account").inputValue(), name);
      await desk.type(words.code, desk.person.codes.shift());
      await desk.tabTo(words.account_make);
      await desk.enter();
      assert.equal(await desk.heading(), words.letter_title);
      const code = await desk.page.locator(".secret").innerText();
      await desk.tabTo(words.letter_done);
      await desk.enter();
      await desk.says("<script>alert(1)</script> Núñez");
      await desk.says(words.account_waits);
      const other = await Desk.open(browser, stand, { language, scripts });
      await other.page.goto("/set-up");
      await other.type(words.account_name, name);
      await other.type(words.sealed_code, code);
      await other.type(words.new_password, "a long walk home");
      await other.type(words.password_again, "a long walk home");
      await other.enter();
      assert.equal(await other.heading(), words.authenticator_title);
      await other.close();
      await desk.close();
    });

    it("an account is disabled for a reason and its session is over; of two who change it the second is told", async () => {
      const clerk = await open("court");
      const [desk, second] = [await open("administrator"), await open("administrator")];
      await go(desk, clerk.person.name);
      await go(second, clerk.person.name);
      await desk.says(words.session_opened);
      await choose(desk, "disable");
      await desk.says(words.problem_title);
      await choose(desk, "disable", () => desk.type(words.disable_reason, "left the court"));
      await desk.says(words.account_done);
      await desk.says("left the court");
      await choose(second, "reset");
      await second.says(words.problem_title);
      await clerk.page.goto("/search");
      assert.equal(clerk.path(), "/log-on");
      await choose(desk, "enable");
      await desk.says(words.account_active);
      for (const one of [clerk, desk, second]) await one.close();
    });

    it("a person sees the own sessions, ends one elsewhere, and chooses another password", async () => {
      const desk = await open("court");
      const other = await Desk.open(browser, stand, { language, scripts });
      await other.page.goto("/log-on");
      await other.credentials(desk.person);
      await desk.page.goto("/account");
      assert.equal(await desk.page.locator("main li").count(), 2);
      await desk.tabTo(words.session_end);
      await desk.enter();
      await desk.says(words.account_done);
      await other.page.goto("/search");
      assert.equal(other.path(), "/log-on");
      const change = async (old, code) => {
        await desk.type(words.password_old, old);
        await desk.type(words.new_password, "nine loud green trains");
        await desk.type(words.password_again, "nine loud green trains");
        await desk.type(words.code, code);
        await desk.enter();
      };
      await change("not the one", desk.person.codes[0]);
      await desk.says(words.problem_title);
      await change(desk.person.password, desk.person.codes.shift());
      assert.equal(desk.path(), "/log-on");
      await desk.credentials({ ...desk.person, password: "nine loud green trains" });
      assert.equal(await desk.heading(), words.search_title);
      for (const one of [desk, other]) await one.close();
    });

    it("a person takes new recovery codes with a code; a new one opens the door and an old one does not", async () => {
      const desk = await open("court");
      await desk.page.goto("/account");
      const take = async (code) => {
        await desk.type(words.code_now, code);
        await desk.tabTo(words.recovery_make);
        await desk.enter();
      };
      await take("000000");
      await desk.says(words.problem_title);
      const taken = async () => {
        assert.equal(await desk.heading(), words.recovery_title);
        return desk.page.locator(".codes code").allInnerTexts();
      };
      await take(desk.person.codes.shift());
      const first = await taken();
      assert.equal(first.length, 10);
      await desk.tabTo(words.recovery_done);
      await desk.enter();
      assert.equal(desk.path(), "/account");
      await take(first[0]);
      const second = await taken();
      const other = await Desk.open(browser, stand, { language, scripts });
      await other.page.goto("/log-on");
      await other.credentials({ ...desk.person, codes: [first[1]] });
      assert.equal(other.path(), "/log-on");
      await other.credentials({ ...desk.person, codes: [second[0]] });
      assert.equal(await other.heading(), words.search_title);
      for (const one of [desk, other]) await one.close();
    });

    it("a password that was typed when the session was over is kept nowhere, and its page is there after the log-on", async () => {
      const desk = await open("court");
      await desk.page.goto("/account");
      await desk.type(words.password_old, desk.person.password);
      await desk.type(words.new_password, "nine loud green trains");
      await desk.type(words.password_again, "nine loud green trains");
      await desk.type(words.code, desk.person.codes[0]);
      await desk.page.context().clearCookies({ name: "__Host-ccpor-session" });
      await desk.enter();
      assert.equal(desk.path(), "/log-on");
      assert.ok(!desk.page.url().includes("draft"), desk.page.url());
      await desk.credentials();
      assert.equal(await desk.heading(), words.own_account);
      assert.equal(await desk.page.locator("#new_password").inputValue(), "");
      await desk.close();
    });

    it("who does not keep accounts sees none of them", async () => {
      const desk = await open("supervisor");
      for (const path of ["/users", "/users/new", "/users/list.csv", "/users/0123456789abcdef"]) {
        assert.equal((await desk.page.request.get(path)).status(), 403, path);
      }
      await desk.close();
    });
  });
}
