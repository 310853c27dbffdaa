// The core tasks of each desk by keyboard alone: in English and Spanish, with scripts on and off.

import { describe } from "node:test";
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { deflateSync } from "node:zlib";
import { after, before, Desk, it, startBrowser, startStand, wordsOf } from "./stand.mjs";

let browser, stand, served = 0;

before(async () => {
  [stand, browser] = await Promise.all([startStand(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  await stand?.stop();
});

/** A white page. */
function png(width, height) {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  const rows = Buffer.alloc((width + 1) * height, 255);
  for (let row = 0; row < height; row += 1) rows[row * (width + 1)] = 0;
  const parts = [chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), ...parts]);
}

/** The check sum of PNG. */
function crc32(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/** What an authenticator shows now for this key (RFC 6238). */
function totp(key) {
  const letters = [...key.replaceAll(" ", "")].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"));
  const bytes = Buffer.from(letters.join("").match(/.{8}/g).map((bits) => parseInt(bits, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const hash = createHmac("sha1", bytes).update(step).digest();
  const number = hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff;
  return String(number % 1000000).padStart(6, "0");
}

for (const language of ["en", "es"]) {
  for (const scripts of [true, false]) {
    describe(`${language}, scripts ${scripts ? "on" : "off"}`, () => {
      const words = wordsOf(language);
      let desk;
      const open = async (role) => {
        desk = await Desk.open(browser, stand, { language, scripts });
        if (role) await desk.logOn(role);
        return desk;
      };

      it("a person logs on with password and code, and logs off", async () => {
        await open();
        await desk.page.goto("/search");
        assert.equal(await desk.heading(), words.log_on_title);
        await desk.says(words.banner_title);
        desk.person = await stand.account("judge");
        await desk.credentials({ ...desk.person, password: "wrong password", codes: ["000000"] });
        assert.equal(await desk.heading(), words.log_on_title);
        await desk.says(words.refusal_log_on);
        await desk.credentials();
        assert.equal(await desk.heading(), words.search_title);
        await desk.tabTo(/M\. Ito/);
        await desk.page.keyboard.press("Enter");
        await desk.tabTo(words.log_off);
        await desk.enter();
        assert.equal(await desk.heading(), words.log_on_title);
        await desk.page.goto("/search");
        assert.equal(desk.path(), "/log-on");
        await desk.close();
      });

      it("a new person sets up the account, gets recovery codes, and logs on with the authenticator", async () => {
        await open();
        const letter = await stand.account("court", "alameda", "letter");
        await desk.page.goto("/log-on");
        await desk.tabTo(words.first_time);
        await desk.enter();
        const fill = async (again) => {
          await desk.type(words.account_name, letter.name);
          await desk.type(words.sealed_code, letter.set_up_code);
          await desk.type(words.new_password, "a long walk home");
          await desk.type(words.password_again, again);
          await desk.enter();
        };
        await fill("a long walk hone");
        await desk.says(words.refused_not_the_same);
        await fill("a long walk home");
        assert.equal(await desk.heading(), words.authenticator_title);
        assert.equal(await desk.page.locator(".codes li").count(), 10);
        const key = await desk.page.locator(".secret").innerText();
        await desk.tabTo(words.recovery_done);
        await desk.enter();
        await desk.credentials({ name: letter.name, password: "a long walk home", codes: [totp(key)] });
        assert.equal(await desk.heading(), words.search_title);
        await desk.close();
      });

      it("a dispatcher finds an order by one line, three keys after typing at most", async () => {
        await open("lea-service");
        await desk.page.keyboard.type("DOE,JOHN 19850312");
        await desk.enter();
        await desk.says(words.statewide_complete);
        await desk.says(words.status_active);
        await desk.says(words.badge_not_served);
        await desk.says(words.match_label);
        const radio = await desk.page.locator(".radio").first().innerText();
        assert.match(radio, /ACTIVE .*DOE, JOHN[^]*EXPIRES/);
        assert.ok(!/DOE|JOHN|1985/i.test(desk.page.url()), desk.page.url());
        await desk.close();
      });

      it("nobody is found, and the page says up to when that holds", async () => {
        await open("lea-service");
        await desk.page.keyboard.type("Zzyzx, Quirin 1931-07-07");
        await desk.enter();
        assert.equal(await desk.heading(), words.no_match);
        await desk.says(words.as_of.split("{")[0].trim());
        await desk.says(words.no_match_complete);
        await desk.close();
      });

      it("an officer searches with the form, narrows the answer, and changes the question", async () => {
        await open("lea-query");
        await desk.tabTo(words.form_summary);
        await desk.page.keyboard.press("Enter");
        await desk.type(words.last_name, "Doe");
        await desk.type(words.first_name, "John");
        await desk.type(words.year, "1985");
        await desk.enter();
        const before = await desk.page.locator(".hit").count();
        await desk.tabTo(words.filters);
        await desk.page.keyboard.press("Enter");
        await desk.tabTo(words.filter_served);
        await desk.page.keyboard.type(words.badge_not_served.slice(0, 3));
        await desk.tabTo(words.apply);
        await desk.enter();
        const narrowed = await desk.page.locator(".hit").count();
        assert.ok(narrowed >= 1 && narrowed < before, `${narrowed} of ${before}`);
        await desk.tabTo(words.change_search);
        await desk.enter();
        assert.equal(await desk.page.locator("#last").inputValue(), "Doe");
        await desk.close();
      });

      it("an order shows what to enforce, the people, every step with its signature, and the scan beside them", async () => {
        await open("lea-query");
        await desk.page.goto(`/orders/${stand.orders.unserved}`);
        await desk.says(words.enforce_title);
        await desk.says("Doe, Jane");
        await desk.says(/Fam\. Code|Pen\. Code/);
        await desk.says(words.step_filed);
        await desk.says(words.step_confirmed);
        await desk.says(stand.orders.criminal);
        const image = desk.page.locator(".scan-page").first();
        const answer = await desk.page.request.get(await image.getAttribute("src"));
        assert.equal(answer.headers()["content-type"], "image/png");
        assert.match(await image.getAttribute("alt"), /DV-130/);
        if (scripts) {
          await desk.tabTo(words.zoom_in);
          const [small] = [await image.boundingBox()];
          await desk.page.keyboard.press("Enter");
          const large = await image.boundingBox();
          assert.ok(large.width > small.width * 1.2);
        }
        await desk.close();
      });

      it("an officer reads the notice aloud and records service in three inputs, and twice is once", async () => {
        await open("lea-service");
        const number = stand.orders.to_serve[served++];
        await desk.page.goto(`/orders/${number}`);
        await desk.tabTo(words.read_notice);
        await desk.enter();
        await desk.says(words.aloud_title);
        await desk.says(language === "en" ? "There is a court order against you" : "Hay una orden judicial en su contra");
        await desk.type(words.officer, "R. Alvarez");
        await desk.type(words.officer_badge, "7731");
        await desk.enter();
        await desk.says(words.mode_verbal);
        await desk.says("R. Alvarez, 7731");
        await desk.page.goBack();
        await desk.says(words.served_already);
        await desk.page.goto(`/orders/${number}`);
        assert.equal(await desk.page.locator(".served li").count(), 1);
        await desk.close();
      });

      it("a judge sees all orders between two people in any court", async () => {
        await open("judge");
        await desk.tabTo(words.nav_between);
        await desk.enter();
        await desk.type(words.between_one, "Doe, John 1985");
        await desk.type(words.between_other, "Doe, Jane");
        await desk.enter();
        await desk.says(words.badge_not_served);
        await desk.says(/Kern/);
        await desk.says(/Alameda/);
        await desk.close();
      });

      it("a clerk enters an order, sees with what it clashes, files it and adds the scan", async () => {
        await open("court");
        await desk.tabTo(words.nav_entry);
        await desk.enter();
        await desk.tabTo(words.fact_form);
        await desk.page.keyboard.type("DV-130");
        await desk.type(words.case_number, `FL-${language}-${scripts}`);
        await desk.page.keyboard.press("Tab");
        await desk.page.keyboard.type("11202026");
        await desk.type(words.last_name, "Doe");
        await desk.type(words.first_name, "John");
        await desk.page.locator("#dob").focus();
        await desk.page.keyboard.type("03121985");
        await desk.type(words.last_name, "Doe");
        await desk.type(words.first_name, "Jane");
        await desk.tabTo(words.term_no_contact);
        await desk.page.keyboard.press("Space");
        await desk.type(words.custody, "Joint custody");
        await desk.enter();
        await desk.says(words.checked_title);
        await desk.says(words.clashes);
        await desk.says(words.never_blocks);
        await desk.says(stand.orders.criminal);
        await desk.type(words.clash_reason, "The criminal court knows of it");
        await desk.tabTo(words.file_order);
        await desk.enter();
        await desk.says(words.done_filed);
        await desk.says("Joint custody");
        await desk.tabTo(words.upload_title);
        await desk.enter();
        await desk.type(words.upload_name, "DV-130, signed");
        await desk.page.locator("#file").setInputFiles({ name: "scan.png", mimeType: "image/png", buffer: png(850, 1100) });
        await desk.tabTo(words.upload_send);
        await desk.enter();
        await desk.says(words.done_scan);
        assert.equal(await desk.page.locator(".scan-page").count(), 1);
        await desk.close();
      });

      it("an operator sees the machine and every court", async () => {
        await open("operator");
        await desk.says("court/alameda/node/1");
        await desk.says(words.machine_ready);
        await desk.says("Kern");
        await desk.close();
      });

      it("an operator of the hub sees every county as a picture and as a table, and takes the table along", async () => {
        desk = await Desk.open(browser, stand, { language, scripts, machine: "hub" });
        await desk.logOn("operator");
        await desk.says(words.map_title);
        assert.equal(await desk.page.locator(".tile").count(), 58);
        assert.equal(await desk.page.locator(".tile-current").count(), 2);
        await desk.says(words.map_words.replace("{current}", "2").replace("{late}", "0").replace("{none}", "56").replace("{all}", "58"));
        assert.match(await desk.page.locator(".tile-current title").first().textContent(), /Alameda|Kern/);
        const node = await desk.page.locator("tr", { hasText: "court/alameda/node/1" }).last().innerText();
        assert.match(node, new RegExp(`\\b\\d+\\.\\d+\\.\\d+\\s+${words.days.replace("{days}", "\\d+")}`));
        const table = await desk.page.request.get(await desk.page.getByRole("link", { name: words.courts_csv }).getAttribute("href"));
        assert.match(await table.text(), /^court,origin[^]*court\/alameda,/);
        await desk.close();
      });

      it("the language is changed on the page and stays", async () => {
        await open();
        await desk.page.goto("/log-on");
        await desk.tabTo(words.other_language);
        await desk.enter();
        const other = wordsOf(language === "en" ? "es" : "en");
        assert.equal(await desk.heading(), other.log_on_title);
        await desk.close();
      });
    });
  }
}
