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
      await desk.says(words.refusal_no_reason);
      await choose(desk, "disable", () => desk.type(words.disable_reason, "left the court"));
      await desk.says(words.account_done);
      await desk.says("left the court");
      await choose(second, "reset");
      await second.says(words.refusal_changed);
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
      await desk.says(words.refusal_old_password);
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

    /** What a browser says of a form of these pages. */
    const headers = { "sec-fetch-site": "same-origin", "accept-language": language };
    const heading = "name,full_name,role,of\n";
    /** Chooses a file of accounts and has it judged. */
    const judge = async (desk, csv) => {
      await desk.page.goto("/users/import");
      await desk.page.locator("#file").setInputFiles({ name: "staff.csv", mimeType: "text/csv", buffer: Buffer.isBuffer(csv) ? csv : Buffer.from(csv) });
      await desk.tabTo(words.import_judge);
      await desk.enter();
    };
    const make = async (desk, code) => {
      await desk.type(words.code, code);
      await desk.tabTo(words.import_make);
      await desk.enter();
    };
    const filled = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);

    it("a file of accounts is judged line by line, and a fresh code makes its accounts with a letter each, once", async () => {
      const desk = await open("administrator");
      await desk.page.goto("/users");
      await desk.tabTo(words.import_title);
      await desk.enter();
      assert.equal(await desk.heading(), words.import_title);
      const [one, two] = [`f1-${language}`, `f2-${language}`];
      await judge(desk, `${heading}${one},"Núñez, <b>Ana</b>",court,\nfar-${language},Far Away,court,court/kern\n${two},Jin Lee,judge,court/alameda\n${one},Again,auditor,\nboss,The Boss,chief,\n`);
      assert.equal(await desk.heading(), words.import_judged_title);
      const address = desk.path();
      assert.match(address, /^\/users\/import\/[0-9a-f]{32}$/);
      await desk.says(filled(words.import_counts, { good: 2, refused: 3 }));
      for (const reason of [words.refusal_other_court, words.refusal_role, filled(words.refusal_twice, { line: 2 })]) await desk.says(reason);
      await desk.says("Núñez, <b>Ana</b>");
      await make(desk, "000000");
      await desk.says(words.refusal_code);
      assert.equal(desk.path(), address);
      await make(desk, desk.person.codes.shift());
      assert.equal(await desk.heading(), words.letters_title);
      await desk.says(filled(words.letters_counts, { made: 2, refused: 3 }));
      const codes = await desk.page.locator(".letter .secret").allInnerTexts();
      assert.equal(codes.length, 2);
      await desk.page.emulateMedia({ media: "print" });
      assert.equal(await desk.page.locator("h1").isVisible(), false, "the letters alone are printed");
      assert.ok(await desk.page.locator(".letter .secret").last().isVisible());
      await desk.page.emulateMedia({ media: "screen" });
      // Sent once more, by whatever way: nothing is made twice, and no letter is shown again.
      await desk.page.goto(address);
      await desk.says(words.import_made_already);
      const hidden = (name) => desk.page.locator(`main input[name=${name}]`).inputValue();
      const form = { form_token: await hidden("form_token"), by: await hidden("by"), code: desk.person.codes.shift() };
      const again = await desk.page.request.post(address, { form, headers });
      assert.equal(again.status(), 409);
      assert.ok((await again.text()).includes(words.import_made_already));
      const other = await Desk.open(browser, stand, { language, scripts });
      await other.page.goto("/set-up");
      await other.type(words.account_name, two);
      await other.type(words.sealed_code, codes[1]);
      await other.type(words.new_password, "a long walk home");
      await other.type(words.password_again, "a long walk home");
      await other.enter();
      assert.equal(await other.heading(), words.authenticator_title);
      for (const each of [desk, other]) await each.close();
    });

    it("a file of accounts that is sent twice at the same moment makes each account once", async () => {
      const desk = await open("administrator");
      const name = `twice-${language}`;
      await judge(desk, `${heading}${name},Once,auditor,\n`);
      const hidden = (name) => desk.page.locator(`main input[name=${name}]`).inputValue();
      const form = { form_token: await hidden("form_token"), by: await hidden("by") };
      const send = (code) => desk.page.request.post(desk.path(), { form: { ...form, code }, headers });
      const answers = await Promise.all([send(desk.person.codes.shift()), send(desk.person.codes.shift())]);
      assert.deepEqual(answers.map((answer) => answer.status()).sort(), [200, 409]);
      await desk.close();
    });

    it("a file that gives no account is refused in the words of the page", async () => {
      const desk = await open("administrator");
      const refused = async (csv, reason) => {
        await judge(desk, csv);
        await desk.says(reason);
        assert.equal(await desk.page.locator("[name=code]").count(), 0);
      };
      await refused("", words.import_no_file);
      await refused("user;role\nx;y\n", words.refusal_file_heading);
      await refused(Buffer.from(`${heading}x.lee,N\u00fa\u00f1ez,court,\n`, "latin1"), filled(words.refusal_file_not_text, { line: 2 }));
      await refused(heading + "x".repeat(64 * 1024), words.refusal_file_large);
      await refused(heading, words.import_nothing);
      await refused(`${heading}${desk.person.name},Another,auditor,\n`, words.refusal_taken);
      await desk.page.goto("/users/import");
      const hidden = (name) => desk.page.locator(`main input[name=${name}]`).inputValue();
      const form = { form_token: await hidden("form_token"), by: await hidden("by") };
      const file = { name: "staff.csv", mimeType: "text/csv", buffer: Buffer.from(heading) };
      const said = async (sent) => (await desk.page.request.post("/users/import", { multipart: sent, headers })).text();
      assert.ok((await said(form)).includes(words.import_no_file));
      assert.ok((await said({ ...form, form_token: "00", file })).includes(words.send_again));
      await desk.close();
    });

    it("a file waits for its person over a log-on, and for nobody else", async () => {
      const desk = await open("administrator");
      await judge(desk, `${heading}later-${language},Later,auditor,\n`);
      const address = desk.path();
      await desk.type(words.code, desk.person.codes[0]);
      await desk.page.context().clearCookies({ name: "__Host-ccpor-session" });
      await desk.tabTo(words.import_make);
      await desk.enter();
      assert.equal(desk.path(), "/log-on");
      await desk.credentials();
      assert.equal(desk.path(), address);
      const other = await open("administrator");
      await other.page.goto(address);
      await other.says(words.import_gone);
      await make(desk, desk.person.codes.shift());
      assert.equal(await desk.heading(), words.letters_title);
      for (const each of [desk, other]) await each.close();
    });

    it("all open sessions are listed with their persons, and one is ended from there", async () => {
      const [clerk, desk, second] = [await open("court"), await open("administrator"), await open("administrator")];
      const name = clerk.person.name;
      const go = async (keeper) => {
        await keeper.page.goto("/users");
        await keeper.tabTo(words.sessions_all);
        await keeper.enter();
        await keeper.says(words.sessions_terminal);
      };
      const end = async (keeper) => {
        await keeper.page.getByRole("link", { name, exact: true }).focus();
        await keeper.tabTo(new RegExp(`^${words.session_end}: ${name}, `));
        await keeper.enter();
      };
      await go(desk);
      await go(second);
      const row = (keeper, account) => keeper.page.locator("tr", { has: keeper.page.getByRole("link", { name: account, exact: true }) });
      assert.match(await row(desk, name).innerText(), new RegExp(`P\\. Quill.*${words.role_court}`, "s"));
      // The own session has no such button: it is ended by logging off.
      assert.equal(await row(desk, desk.person.name).locator("button").count(), 0);
      assert.ok((await row(desk, desk.person.name).innerText()).includes(words.session_here));
      await end(desk);
      await desk.says(words.account_done);
      assert.equal(await row(desk, name).count(), 0);
      await clerk.page.goto("/search");
      assert.equal(clerk.path(), "/log-on");
      // Whoever ends it a moment later is told.
      await end(second);
      await second.says(words.session_was_over);
      for (const one of [clerk, desk, second]) await one.close();
    });

    it("an account is found by a part of a name, whatever its accents, by role and by state; the table follows, and no address holds the name", async () => {
      const desk = await open("administrator");
      const [clerk, auditor] = [`s1-${language}`, `s2-${language}`];
      await judge(desk, `${heading}${clerk},Águeda Ñúñoz-${language},court,\n${auditor},Bo Ñúñoz-${language},auditor,\n`);
      await make(desk, desk.person.codes.shift());
      const listed = () => desk.page.locator("tbody th").allInnerTexts();
      const find = async (text, role = "") => {
        await desk.page.locator("#role").selectOption(role);
        await desk.type(words.accounts_named, text);
        await desk.enter();
        assert.ok(!/nunoz|%C3/i.test(desk.page.url()), desk.page.url());
      };
      await desk.page.goto("/users");
      await find(`NUNOZ-${language}`);
      assert.deepEqual(await listed(), [clerk, auditor]);
      assert.match(desk.page.url(), /\/users\?named=[0-9a-f]{32}$/);
      await desk.says(new RegExp(filled(words.accounts_counted, { n: 2, all: "\\d+" })));
      await find(`ñúñoz-${language} águe`);
      assert.deepEqual(await listed(), [clerk]);
      await find(`nunoz-${language}`, "auditor");
      assert.deepEqual(await listed(), [auditor]);
      await desk.tabTo(new RegExp(`${words.account_waits}$`));
      await desk.enter();
      assert.deepEqual(await listed(), [auditor]);
      const table = await desk.page.request.get(await desk.page.getByRole("link", { name: words.accounts_csv }).getAttribute("href"));
      const lines = (await table.text()).trim().split("\n");
      assert.equal(lines.length, 2);
      assert.ok(lines[1].startsWith(`${auditor},Bo Ñúñoz-${language},auditor,`), lines[1]);
      const address = desk.page.url();
      await desk.tabTo(new RegExp(`${words.account_active}$`));
      await desk.enter();
      await desk.says(words.accounts_none);
      await find("\"><script>alert(1)</script>");
      assert.equal(await desk.page.locator("#named").inputValue(), "\"><script>alert(1)</script>");
      const other = await open("administrator");
      await other.page.goto(address);
      assert.ok(other.page.url().endsWith("/users"), "what somebody else looks for is nobody's");
      for (const one of [desk, other]) await one.close();
    });

    it("how many recovery codes are left is said on the own page, and few of them on every page after the log-on", async () => {
      const desk = await open("court");
      await desk.page.goto("/account");
      await desk.says(filled(words.codes_left, { n: 9 }));
      const { name, password, codes } = desk.person;
      for (let more = 0; more < 6; more += 1) {
        const answer = await desk.page.request.post("/v1/session", { data: { name, password, code: codes.shift() } });
        assert.equal(answer.status(), 201);
      }
      await desk.page.context().clearCookies({ name: "__Host-ccpor-session" });
      await desk.page.goto("/log-on");
      await desk.credentials();
      const few = filled(words.codes_few, { n: 2 });
      await desk.says(few);
      await desk.tabTo(words.recovery_new);
      await desk.enter();
      assert.equal(desk.path(), "/account");
      await desk.says(few);
      await desk.type(words.code_now, codes.shift());
      await desk.enter();
      assert.equal(await desk.heading(), words.recovery_title);
      assert.ok(!(await desk.page.locator("body").innerText()).includes(words.codes_few.split(":")[0]));
      await desk.tabTo(words.recovery_done);
      await desk.enter();
      await desk.says(filled(words.codes_left, { n: 10 }));
      await desk.close();
    });

    it("what is refused is said in the words of the page", async () => {
      const visitor = await Desk.open(browser, stand, { language, scripts });
      await visitor.page.goto("/log-on");
      await visitor.credentials({ name: "nobody-here", password: "wrong", codes: ["000000"] });
      await visitor.says(words.refusal_log_on);
      const letter = await stand.account("court", "alameda", "letter");
      const setUp = async (code, password) => {
        await visitor.page.goto("/set-up");
        await visitor.type(words.account_name, letter.name);
        await visitor.type(words.sealed_code, code);
        await visitor.type(words.new_password, password);
        await visitor.type(words.password_again, password);
        await visitor.enter();
      };
      await setUp("AAAA-AAAA-AAAA-AAAA", "a long walk home");
      await visitor.says(words.refusal_set_up);
      await setUp(letter.set_up_code, "password1");
      await visitor.says(words.refusal_password_common);
      const desk = await open("administrator");
      const add = async (name, role, of) => {
        await desk.page.goto("/users/new");
        await desk.type(words.account_name, name);
        await desk.page.locator("#role").selectOption(role);
        await desk.type(words.account_of, of);
        await desk.type(words.code, desk.person.codes.shift());
        await desk.enter();
      };
      await add(desk.person.name, "auditor", "");
      await desk.says(words.refusal_taken);
      await add("x", "auditor", "");
      await desk.says(words.refusal_name);
      await add("somebody", "court", "court/kern");
      await desk.says(words.refusal_other_court);
      await add("somebody", "lea-query", "");
      await desk.says(words.refusal_no_agency);
      await desk.page.goto("/users/0123456789abcdef");
      await desk.says(words.accounts_none);
      const clerk = await open("court");
      await clerk.page.goto("/users");
      await clerk.says(words.refusal_not_allowed);
      for (const one of [visitor, desk, clerk]) await one.close();
    });

    it("who does not keep accounts sees none of them", async () => {
      const desk = await open("supervisor");
      for (const path of ["/users", "/users/new", "/users/import", "/users/sessions", "/users/list.csv", "/users/0123456789abcdef"]) {
        assert.equal((await desk.page.request.get(path)).status(), 403, path);
      }
      await desk.close();
    });
  });
}
