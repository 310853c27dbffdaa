// Scans that came before their orders: added, taken in hand, typed beside the image, filed, attached and set aside. By keyboard alone,
// scripts on and off; two people at one scan; sessions that end in the middle.

import { describe } from "node:test";
import assert from "node:assert/strict";
import { after, before, Desk, it, startBrowser, startStand, wordsOf } from "./stand.mjs";
import { sheet, tiff } from "./scans.mjs";

let browser, stand, made = 0;

before(async () => {
  [stand, browser] = await Promise.all([startStand(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  await stand?.stop();
});

/** A scan that no other test has. */
const paper = () => ({ name: `calendar-${(made += 1)}.tif`, mimeType: "image/tiff", buffer: tiff([sheet(made), sheet(made + 500)]) });

for (const [language, scripts] of [["en", true], ["es", false]]) {
  describe(`${language}, scripts ${scripts ? "on" : "off"}`, () => {
    const words = wordsOf(language);
    const open = async (role = "court") => {
      const desk = await Desk.open(browser, stand, { language, scripts });
      await desk.logOn(role);
      return desk;
    };
    const list = async (desk) => {
      await desk.page.goto("/scans");
      return desk.page.locator("main").innerText();
    };
    /** Adds scans; gives their names. */
    const add = async (desk, ...files) => {
      await desk.page.goto("/scans");
      await desk.page.locator("#file").setInputFiles(files);
      await desk.tabTo(words.queue_send);
      await desk.enter();
      return files.map((file) => file.name);
    };
    const look = async (desk, name) => {
      await desk.page.goto("/scans");
      await desk.tabTo(name);
      await desk.enter();
      assert.equal(await desk.heading(), name);
    };

    it("a clerk adds scans, types an order beside the first, and both are filed in one step", async () => {
      const desk = await open();
      const count = async () => {
        await desk.page.goto("/today");
        return Number(await desk.page.locator('.counts a[href="/scans"] .count-number').innerText());
      };
      const before = await count();
      await desk.tabTo(words.nav_scans);
      await desk.enter();
      assert.equal(await desk.heading(), words.queue_title);
      const [first, second] = await add(desk, paper(), paper());
      await desk.says(words.queue_added.replace("{n}", "2"));
      assert.equal(await count(), before + 2);
      await look(desk, first);
      assert.equal(await desk.page.locator(".scan-page").count(), 2);
      const drawn = await desk.page.request.get(await desk.page.locator(".scan-page").first().getAttribute("src"));
      assert.equal(drawn.headers()["content-type"], "image/png");
      await desk.tabTo(words.queue_take);
      await desk.enter();
      assert.equal(desk.path(), "/entry");
      assert.match(await desk.page.locator(".scan-page").first().getAttribute("alt"), new RegExp(first));
      if (scripts) await desk.isAccessible(`entry beside a scan, ${language}`);
      await desk.page.locator("#form").selectOption("DV-130");
      await desk.type(words.case_number, `FL-28-${made}`);
      await desk.page.locator("#issued").fill("2026-11-20");
      await desk.page.locator("#expires").fill("2029-11-20");
      await desk.type(words.last_name, `Vale${made}`);
      await desk.type(words.first_name, "Sam");
      await desk.enter();
      await desk.says(words.checked_title);
      assert.equal(await desk.page.locator(".scan-page").count(), 2, "the scan stays beside the form");
      await desk.tabTo(words.file_order);
      await desk.enter();
      assert.equal(desk.path(), "/scans");
      await desk.says(words.queue_filed);
      const listed = await desk.page.locator("main").innerText();
      assert.ok(!listed.includes(first) && listed.includes(second), listed);
      assert.equal(await count(), before + 1);
      await desk.page.goBack();
      await desk.page.goto("/scans");
      await look(desk, second);
      await desk.type(words.queue_reason, "A letter, not an order");
      await desk.tabTo(words.queue_set_aside);
      await desk.enter();
      await desk.says(words.queue_done_aside);
      await desk.says("A letter, not an order");
      assert.equal(await count(), before);
      await look(desk, second);
      await desk.tabTo(words.queue_put_back);
      await desk.enter();
      await desk.says(words.queue_done_back);
      const number = await desk.file({ last: `Dale${made}`, case_number: `FL-29-${made}` });
      await look(desk, second);
      await desk.type(words.registry_number, "7K3M-99QD-0TB2-X");
      await desk.tabTo(words.queue_attach);
      await desk.enter();
      await desk.page.waitForSelector("#problem");
      await desk.type(words.registry_number, number);
      await desk.tabTo(words.queue_attach);
      await desk.enter();
      await desk.says(number);
      await desk.page.goto(`/orders/${number}`);
      assert.equal(await desk.page.locator(".scan-page").count(), 2);
      await desk.close();
    });

    it("a second clerk sees who has a scan in hand, and what they type on it too late is told, not lost", async () => {
      const [one, other] = [await open(), await open("supervisor")];
      const [name] = await add(one, paper());
      await look(one, name);
      await one.tabTo(words.queue_take);
      await one.enter();
      assert.ok((await list(other)).includes(one.person.name));
      await look(other, name);
      await other.says(words.queue_held_by);
      await other.says(one.person.name);
      await other.tabTo(words.queue_take_over);
      await other.enter();
      const scan = new URL(other.page.url()).searchParams.get("scan");
      await one.page.goto(`/entry?scan=${scan}`);
      await one.says(other.person.name);
      const type = async (desk) => {
        await desk.page.locator("#form").selectOption("DV-130");
        await desk.type(words.case_number, `FL-30-${made}`);
        await desk.page.locator("#issued").fill("2026-11-20");
        await desk.page.locator("#expires").fill("2029-11-20");
        await desk.type(words.last_name, `Glen${made}`);
        await desk.type(words.first_name, "Sam");
        await desk.enter();
      };
      await type(one);
      await type(other);
      await other.tabTo(words.file_order);
      await other.enter();
      await other.says(words.queue_filed);
      await one.tabTo(words.file_order);
      await one.enter();
      await one.page.waitForSelector("#problem, .usa-alert--warning");
      await one.says(words.queue_is_filed);
      assert.equal(await one.page.locator("#last").inputValue(), `Glen${made}`);
      await one.close();
      await other.close();
    });

    it("a scan of a renewal is entered as an order that follows the one before it", async () => {
      const desk = await open();
      const number = await desk.file({ last: `Moor${made}`, case_number: `FL-33-${made}` });
      const [name] = await add(desk, paper());
      await look(desk, name);
      await desk.type(words.queue_follows_number, "7K3M-99QD-0TB2-X");
      await desk.tabTo(words.renew_title);
      await desk.enter();
      await desk.page.waitForSelector("#problem");
      if (scripts) await desk.isAccessible(`a scan and an unknown order before it, ${language}`);
      // As people type it: the registry knows which is meant.
      await desk.type(words.queue_follows_number, ` ${number.toLowerCase()} `);
      await desk.tabTo(words.renew_title);
      await desk.enter();
      assert.equal(desk.path(), `/orders/${number}/renew`);
      assert.equal(await desk.page.locator(".scan-page").count(), 2);
      assert.equal(await desk.page.locator("#last").inputValue(), `Moor${made - 1}`);
      await desk.page.locator("#issued").fill("2026-11-23");
      await desk.page.locator("#expires").fill("2031-11-23");
      await desk.page.locator("#issued").focus();
      await desk.enter();
      await desk.says(words.checked_title);
      await desk.tabTo(words.file_order);
      await desk.enter();
      await desk.says(words.queue_filed);
      const renewed = await desk.page.locator(".usa-alert a[href^='/orders/']").first().getAttribute("href");
      await desk.page.goto(renewed);
      assert.equal(await desk.page.locator(".scan-page").count(), 2);
      await desk.page.goto(`/orders/${number}`);
      await desk.says(words.status_superseded);
      await desk.close();
    });

    it("a file that is no scan is refused with its name and the reason, and the others are taken", async () => {
      const desk = await open();
      const good = paper();
      await add(desk, { name: "letter.pdf", mimeType: "application/pdf", buffer: Buffer.from("MZ a program that calls itself a letter") }, good);
      await desk.page.waitForSelector("#problem");
      await desk.says("letter.pdf");
      await desk.says("Windows program");
      await desk.says(good.name);
      assert.ok(!(await list(desk)).includes("letter.pdf"));
      await desk.close();
    });

    it("a session that ends over an entry keeps what was typed, and the scan beside it", async () => {
      const desk = await open();
      const [name] = await add(desk, paper());
      await look(desk, name);
      await desk.tabTo(words.queue_take);
      await desk.enter();
      await desk.type(words.case_number, "FL-31-9");
      await desk.context.clearCookies({ name: "__Host-ccpor-session" });
      await desk.enter();
      assert.equal(await desk.heading(), words.log_on_title);
      await desk.credentials();
      await desk.says(words.restored);
      assert.equal(await desk.page.locator("#case_number").inputValue(), "FL-31-9");
      assert.equal(await desk.page.locator(".scan-page").count(), 2);
      await desk.close();
    });
  });
}

for (const role of ["query", "judge", "lea-service", "operator"]) {
  it(`no scan that waits is shown to the role ${role}`, async () => {
    const desk = await Desk.open(browser, stand);
    await desk.logOn(role);
    assert.equal(await desk.page.locator('a[href="/scans"]').count(), 0);
    await desk.page.goto("/scans");
    await desk.says("no right to");
    await desk.close();
  });
}
