// What goes wrong at a desk, and what people send on purpose: nothing typed is lost, nothing is done twice, nothing runs.

import assert from "node:assert/strict";
import { after, before, Desk, it, startBrowser, startStand, wordsOf } from "./stand.mjs";
import { bomb, locked, packed, sheet, tiff } from "./scans.mjs";

let browser, stand;
const words = wordsOf("en");

before(async () => {
  [stand, browser] = await Promise.all([startStand(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  await stand?.stop();
});

it("a name with a script in it is shown as it is written and does not run", async () => {
  const desk = await Desk.open(browser, stand);
  await desk.logOn("lea-service");
  await desk.page.goto(`/orders/${stand.orders.script}`);
  await desk.says(/<script>document\.title='taken'<\/script>/i);
  await desk.says("{{ 7 * 7 }}");
  assert.notEqual(await desk.page.title(), "taken");
  await desk.page.goto("/search");
  await desk.page.keyboard.type('<script>alert(1)</script>, "><img src=x>');
  await desk.enter();
  assert.equal(await desk.page.locator("main img, main script").count(), 0);
  await desk.close();
});

for (const language of ["en", "es"]) {
  it(`an order that is not known is told, with what to do, in the language of the page, ${language}`, async () => {
    const desk = await Desk.open(browser, stand, { language });
    await desk.logOn("lea-service");
    await desk.page.goto("/orders/nowhere");
    const told = wordsOf(language);
    await desk.says(told.trouble_unknown_order);
    await desk.says(told.trouble_unknown_order_do);
    await desk.close();
  });
}

for (const scripts of [true, false]) {
  it(`a session that ended in the middle of a form loses nothing that was typed, scripts ${scripts ? "on" : "off"}`, async () => {
    const desk = await Desk.open(browser, stand, { scripts });
    await desk.logOn("lea-service");
    const path = `/orders/${stand.orders.to_serve[scripts ? 0 : 1]}/service`;
    await desk.page.goto(path);
    await desk.type(words.officer, "T. Nguyen O'Brien");
    await desk.type(words.officer_badge, "5150");
    const other = await desk.context.newPage();
    await other.goto("/search");
    await other.locator(".menu summary").click();
    await other.getByRole("button", { name: words.log_off }).click();
    // A page that is closed while another one comes into it stays open, and nothing says so.
    await other.getByRole("heading", { name: words.log_on_title }).waitFor();
    await other.close();
    await desk.tabTo(words.record_service);
    await desk.enter();
    assert.equal(await desk.heading(), words.log_on_title);
    await desk.says(words.kept_for_you);
    assert.ok(!/Nguyen|5150/.test(desk.page.url()));
    await desk.credentials();
    assert.equal(desk.path(), path);
    await desk.says(words.restored);
    assert.equal(await desk.page.locator("#officer").inputValue(), "T. Nguyen O'Brien");
    await desk.tabTo(words.record_service);
    await desk.enter();
    await desk.says("T. Nguyen O'Brien, 5150");
    await desk.close();
  });
}

it("what one person typed is not shown to the next one at the same desk", async () => {
  const desk = await Desk.open(browser, stand);
  await desk.logOn("lea-service");
  await desk.page.goto("/search");
  await desk.page.keyboard.type("Secret, Sally");
  await desk.context.clearCookies({ name: "__Host-ccpor-session" });
  await desk.enter();
  await desk.credentials(await stand.account("judge"));
  assert.equal(await desk.page.locator("#line").inputValue(), "");
  await desk.close();
});

it("a screen that is left alone is locked, keeps what stands in its form, and gives it back after the log-on", async () => {
  const desk = await Desk.open(browser, stand, { machine: "kern" });
  await desk.logOn("court");
  await desk.page.keyboard.type("Doe, Jo");
  await desk.page.waitForURL(/log-on/, { timeout: 30000 });
  await desk.says(words.kept_for_you);
  await desk.credentials();
  assert.equal(await desk.page.locator("#line").inputValue(), "Doe, Jo");
  await desk.close();
});

it("without scripts a session that was not used for too long is over, and the form that is sent then is kept", async () => {
  const desk = await Desk.open(browser, stand, { machine: "kern", scripts: false });
  await desk.logOn("court");
  await desk.page.keyboard.type("Doe, Jane");
  // What is waited for is the age of the session itself.
  await desk.page.waitForTimeout(8500);
  await desk.enter();
  assert.equal(await desk.heading(), words.log_on_title);
  await desk.credentials();
  assert.equal(await desk.page.locator("#line").inputValue(), "Doe, Jane");
  await desk.close();
});

it("one form that is sent twice at the same time records one service", async () => {
  const desk = await Desk.open(browser, stand);
  await desk.logOn("lea-service");
  const path = `/orders/${stand.orders.to_serve[2]}/service`;
  await desk.page.goto(path);
  const hidden = (name) => desk.page.locator(`.serve input[name=${name}]`).inputValue();
  const form = { form_token: await hidden("form_token"), by: await hidden("by"), key: await hidden("key"), mode: "verbal", officer: "R. Alvarez", date: "2026-11-20", time: "22:15" };
  const send = () => desk.page.request.post(path, { form, headers: { "sec-fetch-site": "same-origin" } });
  const answers = await Promise.all([send(), send()]);
  assert.deepEqual(answers.map((answer) => answer.status()), [200, 200]);
  await desk.page.goto(`/orders/${stand.orders.to_serve[2]}`);
  assert.equal(await desk.page.locator(".served li").count(), 1);
  await desk.close();
});

it("an empty question and a wrong date are told beside the form, with everything still in it", async () => {
  const desk = await Desk.open(browser, stand);
  await desk.logOn("lea-service");
  await desk.enter();
  await desk.says(words.search_nothing);
  await desk.page.goto("/search");
  await desk.tabTo(words.form_summary);
  await desk.page.keyboard.press("Enter");
  await desk.type(words.last_name, "Doe");
  await desk.type(words.year, "85x");
  await desk.enter();
  await desk.says(words.problem_title);
  assert.equal(await desk.page.locator("#last").inputValue(), "Doe");
  await desk.close();
});

it("forms from elsewhere, without their token, and too large ones are not taken", async () => {
  const desk = await Desk.open(browser, stand);
  await desk.logOn("lea-service");
  const request = desk.page.request;
  const post = (headers, body) =>
    request.post("/search", { headers: { "content-type": "application/x-www-form-urlencoded", ...headers }, data: body, maxRedirects: 0 });
  assert.equal((await post({ "sec-fetch-site": "cross-site" }, "line=Doe")).status(), 403);
  assert.equal((await post({ origin: "https://evil.example" }, "line=Doe")).status(), 403);
  const stale = await post({ "sec-fetch-site": "same-origin" }, "line=Doe&form_token=00");
  assert.match(stale.headers().location, /^\/search\?draft=/);
  assert.equal((await post({ "sec-fetch-site": "same-origin" }, "x".repeat(300000))).status(), 413);
  await desk.close();
});

it("every answer has the headers of a strict policy, and the interfaces still ask for a certificate", async () => {
  const desk = await Desk.open(browser, stand);
  for (const path of ["/log-on", "/search", "/nowhere", "/assets/x/pages.css"]) {
    const headers = (await desk.page.request.get(path, { maxRedirects: 0 })).headers();
    assert.match(headers["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/, path);
    assert.ok(!headers["content-security-policy"].includes("unsafe"), path);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.equal(headers["cross-origin-opener-policy"], "same-origin");
    assert.equal(headers["cache-control"], "no-store");
  }
  await desk.logOn("lea-service");
  for (const cookie of await desk.context.cookies()) {
    assert.ok(cookie.name.startsWith("__Host-") && cookie.httpOnly && cookie.secure && cookie.sameSite === "Strict", cookie.name);
  }
  const refused = await desk.page.request.get("/v1/status");
  assert.equal(refused.status(), 401);
  assert.equal((await refused.json()).code, "not-authenticated");
  await desk.close();
});

it("scans that are broken, of no kind that is kept, or too large are refused in plain words", async () => {
  const desk = await Desk.open(browser, stand);
  await desk.logOn("court");
  const path = `/orders/${stand.orders.to_serve[3]}/scan`;
  const send = async (name, buffer) => {
    await desk.page.goto(path);
    await desk.page.locator("#file").setInputFiles({ name, mimeType: "application/octet-stream", buffer });
    await desk.page.locator("main button").press("Enter");
    await desk.page.waitForSelector("#problem");
    return desk.page.locator("#problem").innerText();
  };
  assert.match(await send("broken.pdf", Buffer.from("%PDF-1.7\n1 0 obj\n")), /damaged|PDF/);
  assert.match(await send("letter.pdf", Buffer.from("MZ this is a program")), /PDF|TIFF/);
  assert.match(await send("large.tif", Buffer.alloc(27 * 1024 * 1024, 73)), /26 MB/);
  assert.match(await send("locked.pdf", locked()), /encrypted|password/i);
  assert.match(await send("bomb.tif", bomb()), /pixels/);
  await desk.page.goto(`/orders/${stand.orders.to_serve[3]}`);
  assert.equal(await desk.page.locator(".scan").count(), 0);
  await desk.close();
});

it("an entry that lacks what the law requires is told what, and one that is sent twice is filed once", async () => {
  const desk = await Desk.open(browser, stand);
  await desk.logOn("court");
  await desk.page.goto("/entry");
  await desk.type(words.case_number, "FL-26-TWICE");
  await desk.enter();
  await desk.says(words.checked_title);
  await desk.tabTo(words.file_order);
  await desk.enter();
  await desk.says(words.problem_title);
  assert.equal(await desk.page.locator("#case_number").inputValue(), "FL-26-TWICE");
  const hidden = (name) => desk.page.locator(`.entry input[name=${name}]`).inputValue();
  const form = { form_token: await hidden("form_token"), by: await hidden("by"), key: await hidden("key"), step: "file", form: "CH-130", case_number: "FL-26-TWICE", issued: "2026-11-20", last: "Twicefiled", first: "Ada" };
  const send = () => desk.page.request.post("/entry", { form, maxRedirects: 0, headers: { "sec-fetch-site": "same-origin" } });
  const [one, other] = await Promise.all([send(), send()]);
  assert.match(one.headers().location, /^\/orders\/.*done=filed/);
  assert.equal(one.headers().location, other.headers().location);
  await desk.close();
});

it("an order of another court that is over is shown for a stated purpose, and only then", async () => {
  const desk = await Desk.open(browser, stand);
  await desk.logOn("lea-query");
  await desk.page.keyboard.type("DOE,JOHN 19621101");
  await desk.enter();
  assert.ok(!(await desk.page.locator("body").innerText()).includes(words.status_expired));
  await desk.tabTo(words.state_purpose);
  await desk.enter();
  await desk.tabTo(words.form_summary);
  await desk.page.keyboard.press("Enter");
  await desk.type(words.purpose, "criminal investigation");
  await desk.enter();
  await desk.says(words.status_expired);
  await desk.page.locator(".hit", { hasText: words.status_expired }).locator("h2 a").press("Enter");
  await desk.page.waitForURL(/orders/);
  await desk.says(words.status_expired);
  await desk.close();
});

it("a scan of 60 MB is refused before all of it was sent, and the form is there again", async () => {
  const desk = await Desk.open(browser, stand);
  await desk.logOn("court");
  await desk.page.goto(`/orders/${stand.orders.to_serve[4]}/scan`);
  const hidden = (name) => desk.page.locator(`main input[name=${name}]`).inputValue();
  const multipart = { form_token: await hidden("form_token"), by: await hidden("by"), key: await hidden("key"), title: "large", file: { name: "large.tif", mimeType: "image/tiff", buffer: Buffer.alloc(60 * 1024 * 1024, 73) } };
  // A browser that is still sending may see the connection end; either way nothing is kept, and the machine goes on.
  const answer = await desk.page.request.post(`/orders/${stand.orders.to_serve[4]}/scan`, { multipart, headers: { "sec-fetch-site": "same-origin" } }).catch(() => null);
  if (answer) assert.ok([413, 422].includes(answer.status()), String(answer.status()));
  await desk.page.goto(`/orders/${stand.orders.to_serve[4]}`);
  assert.equal(await desk.page.locator(".scan").count(), 0);
  await desk.close();
});

it("a page that is small on the disk and huge in memory is drawn or said not to be, and the machine goes on", async () => {
  const desk = await Desk.open(browser, stand);
  await desk.logOn("court");
  const path = `/orders/${stand.orders.to_serve[5]}`;
  await desk.page.goto(`${path}/scan`);
  await desk.page.locator("#file").setInputFiles({ name: "packed.tif", mimeType: "image/tiff", buffer: packed() });
  await desk.page.locator("main button").press("Enter");
  await desk.page.waitForURL(/done=scan/);
  const source = await desk.page.locator(".scan-page").first().getAttribute("src");
  const drawn = await Promise.all([1, 2, 3].map(() => desk.page.request.get(source)));
  for (const answer of drawn) assert.ok(answer.status() === 200 || answer.status() >= 400, String(answer.status()));
  await desk.page.goto("/search");
  assert.equal(await desk.heading(), words.search_title);
  await desk.close();
});

it("a name that is written from right to left keeps its place among the others", async () => {
  const desk = await Desk.open(browser, stand);
  await desk.logOn("court");
  const [last, first] = ["\u05db\u05d4\u05df", "\u05d3\u05d5\u05d3"];
  // The mark that turns what follows around must not turn the page around.
  const number = await desk.file({ last: `${last}\u202e`, first, case_number: "FL-RTL" });
  await desk.page.goto(`/orders/${number}`);
  await desk.says(last);
  for (const words of ["h1", ".party h3"]) {
    const isolated = await desk.page.locator(words).first().evaluate((element) => getComputedStyle(element).unicodeBidi);
    assert.match(isolated, /isolate|plaintext/, words);
  }
  await desk.says("FL-RTL");
  await desk.page.goto("/search");
  await desk.page.locator("#line").fill(`${last}, ${first}`);
  await desk.page.locator("#line").press("Enter");
  await desk.page.waitForURL(/answers/);
  await desk.says(number);
  await desk.close();
});

it("the first of 50 pages of a scan is there within a second, and the others as they are scrolled to", async () => {
  const desk = await Desk.open(browser, stand);
  await desk.logOn("court");
  const number = await desk.file({ last: "Fifty", case_number: "FL-50" });
  await desk.page.goto(`/orders/${number}/scan`);
  const pages = Array.from({ length: 50 }, (_, page) => sheet(page + 1));
  await desk.page.locator("#file").setInputFiles({ name: "fifty.tif", mimeType: "image/tiff", buffer: tiff(pages) });
  await desk.page.locator("main button").press("Enter");
  await desk.page.waitForURL(/done=scan/);
  assert.equal(await desk.page.locator(".scan-page").count(), 50);
  const begun = Date.now();
  await desk.page.goto(`/orders/${number}`, { waitUntil: "commit" });
  await desk.page.waitForFunction(() => {
    const page = document.querySelector(".scan-page");
    return page?.complete && page.naturalWidth > 0;
  });
  const taken = Date.now() - begun;
  console.log(`first page of 50 after ${taken} ms`);
  assert.ok(taken < 1000, `${taken} ms`);
  await desk.close();
});
