// Drives a real browser over the search page.
//
// usage: node search-page.mjs ORIGIN EMPTY_ORIGIN SCREENSHOTS WELCOME
//   ORIGIN        a server that has indexed the sample workspace and the hostile item of tests/it
//   EMPTY_ORIGIN  a server that has indexed nothing
//   SCREENSHOTS   a directory for pictures, for people
//   WELCOME       the link for the first administrator of a server where everybody signs in
// The browser is the one that CHROMIUM names, else one in a common place. Exits with 1 if any check fails.

import assert from "node:assert/strict";
import { accessSync, constants, mkdirSync } from "node:fs";
import path from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";

const [origin, emptyOrigin, pictures, welcome] = process.argv.slice(2);
const guarded = new URL(welcome).origin;
mkdirSync(pictures, { recursive: true });

const PLACES = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const isExecutable = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const browser = await chromium.launch({
  executablePath: PLACES.find((file) => file && isExecutable(file)),
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
  ],
});

/** Opens a page that records what it asks for and what it complains about. */
const open = async (options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
  await context.addInitScript({ content: axe.source });
  const page = await context.newPage();
  const strangers = [];
  const complaints = [];
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (![origin, emptyOrigin, guarded].includes(url.origin)) strangers.push(request.url());
  });
  page.on("console", (message) => {
    const expected = /status of 40[14]/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !expected) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog opened: ${dialog.message()}`);
    dialog.dismiss();
  });
  const close = async () => {
    await context.close();
    assert.deepEqual(strangers, [], "requests left the origin");
    assert.deepEqual(complaints, [], "the browser complained");
  };
  return { page, close };
};

const violations = async (page) => {
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations.map((one) => `${one.id}: ${one.help}\n${one.nodes.map((node) => `    ${node.html}`).join("\n")}`);
};

const PAGES = {
  start: `${origin}/`,
  results: `${origin}/search?q=incident`,
  filtered: `${origin}/search?q=backup&kind=page`,
  narrowed: `${origin}/search?kind=row&property=${encodeURIComponent("Status!=")}`,
  second: `${origin}/search?page=2`,
  none: `${origin}/search?q=zyxwvutsrq`,
  hostile: `${origin}/search?q=hostilemarker`,
  file: `${origin}/search?q=filemarker`,
  files: `${origin}/search?kind=file&extension=pdf`,
  japanese: `${origin}/search?q=${encodeURIComponent("議事録")}`,
  problem: `${origin}/nowhere`,
  empty: `${emptyOrigin}/`,
  signIn: `${guarded}/sign-in`,
  welcome: `${guarded}/welcome`,
};

const focused = (page) =>
  page.evaluate(() => ({
    id: document.activeElement.id,
    href: document.activeElement.getAttribute("href"),
    isResult: document.activeElement.matches(".hit .title a"),
  }));

const firstHit = async (words) => {
  const answer = await fetch(`${origin}/api/v1/search?q=${encodeURIComponent(words)}`);
  return (await answer.json()).hits[0];
};

const checks = {
  async "no page has a barrier that axe knows, in light and in dark"() {
    const found = [];
    for (const colorScheme of ["light", "dark"]) {
      const { page, close } = await open({ colorScheme });
      for (const [name, url] of Object.entries(PAGES)) {
        await page.goto(url);
        for (const details of await page.locator("details > summary").all()) await details.click();
        found.push(...(await violations(page)).map((one) => `${name}, ${colorScheme}: ${one}`));
        await page.evaluate(() => scrollTo(0, 0));
        await page.screenshot({ path: path.join(pictures, `${name}-${colorScheme}.png`), fullPage: true });
      }
      await close();
    }
    assert.deepEqual(found, []);
  },

  async "facets narrow by the keyboard, without a script, and can be taken back"() {
    const { page, close } = await open({ javaScriptEnabled: false });
    await page.goto(`${origin}/search?kind=row`);
    const heading = await page.locator(".hit").count();
    assert.ok(heading > 0, "there are rows");
    await page.locator(".facets summary").focus();
    await page.keyboard.press("Enter");
    const value = page.locator(".groups a").first();
    const address = await value.getAttribute("href");
    await value.focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(origin + address);
    assert.equal(await page.locator(".chosen a").count(), 1, "what was chosen is shown");
    assert.equal(await page.locator('form input[type="hidden"]').count(), 2, "the form keeps it");
    await page.locator(".chosen a").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(`${origin}/search?kind=row`);
    await close();
  },

  async "the page fits a narrow window"() {
    for (const colorScheme of ["light", "dark"]) {
      const { page, close } = await open({ colorScheme, viewport: { width: 320, height: 640 } });
      for (const [name, url] of Object.entries(PAGES)) {
        await page.goto(url);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= 320, `${name} is ${width} wide`);
        await page.screenshot({ path: path.join(pictures, `${name}-${colorScheme}-narrow.png`), fullPage: true });
      }
      await close();
    }
  },

  async "a search needs nothing but the keyboard"() {
    const { page, close } = await open();
    await page.goto(PAGES.start);
    assert.equal((await focused(page)).id, "q", "the field has the focus");
    await page.keyboard.type("incident response");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=incident/);
    await page.locator("#heading", { hasText: "result" }).waitFor();
    const expected = await firstHit("incident response");
    await page.keyboard.press("ArrowDown");
    const first = await focused(page);
    assert.deepEqual([first.isResult, first.href], [true, expected.url], "the arrow leads to the first result");
    await page.keyboard.press("j");
    const second = await focused(page);
    assert.ok(second.isResult && second.href !== first.href, "j leads to the second");
    await page.keyboard.press("k");
    await page.keyboard.press("k");
    assert.equal((await focused(page)).id, "q", "k leads back to the field");
    let steps = 0;
    do {
      await page.keyboard.press("Tab");
      steps += 1;
    } while (!(await focused(page)).isResult && steps < 20);
    assert.equal((await focused(page)).href, expected.url, "Tab leads to the first result");
    await page.keyboard.press("/");
    assert.equal((await focused(page)).id, "q", "slash leads back to the field");
    await close();
  },

  async "the first stop of a keyboard leads past the head"() {
    const { page, close } = await open();
    await page.goto(PAGES.results);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal((await focused(page)).id, "results");
    await close();
  },

  async "results follow the typing, and only the newest are shown"() {
    const { page, close } = await open();
    await page.goto(PAGES.start);
    const before = await page.evaluate(() => history.length);
    await page.keyboard.type("Hochwassermeldung", { delay: 15 });
    await page.waitForURL(/q=Hochwassermeldung$/);
    const expected = await firstHit("Hochwassermeldung");
    assert.equal(await page.locator(".hit .title").first().textContent(), expected.title);
    assert.ok((await page.locator("mark").count()) > 0, "what was found is marked");
    assert.equal((await focused(page)).id, "q", "typing goes on");
    assert.equal(await page.evaluate(() => history.length), before, "typing leaves no trail of pages");
    assert.match(await page.locator("#said").textContent(), /result/, "the count is announced");
    await close();
  },

  async "everything works without JavaScript"() {
    const { page, close } = await open({ javaScriptEnabled: false });
    await page.goto(PAGES.start);
    await page.locator("#q").fill("incident");
    await page.locator("#q").press("Enter");
    await page.waitForURL(/\/search\?q=incident/);
    const expected = await firstHit("incident");
    assert.equal(await page.locator(".hit .title a").first().getAttribute("href"), expected.url);
    await page.locator(".filters a", { hasText: "Pages" }).click();
    assert.match(page.url(), /q=incident&kind=page/);
    await page.locator("#q").fill("");
    await page.locator("#q").press("Enter");
    await page.locator("a[rel=next]").click();
    assert.match(page.url(), /kind=page&page=2/, "the kind is kept and the second page shown");
    await page.locator("a[rel=prev]").click();
    assert.equal(await page.locator("a[rel=prev]").count(), 0);
    await close();
  },

  async "what a page in Notion says is shown and never run"() {
    const { page, close } = await open();
    await page.goto(PAGES.hostile);
    const title = page.locator(".hit .title").first();
    assert.equal(await title.textContent(), "hostilemarker <img src=x onerror=alert(1)>");
    assert.equal(await title.locator("a").count(), 0, "an address that is a script is no link");
    assert.equal(await page.locator("main img, main script").count(), 0);
    await close();
  },

  async "a file shows what it is and what is to be known of its text"() {
    const { page, close } = await open({ javaScriptEnabled: false });
    await page.goto(PAGES.file);
    const hit = page.locator(".hit").first();
    assert.match(await hit.locator(".title").textContent(), /^filemarker <b>scan<\/b> of_a_long_name/);
    const facts = await hit.locator(".facts").textContent();
    assert.match(facts, /^Filepdf1\.3 MB/);
    assert.deepEqual(await hit.locator(".remark").allTextContents(), [
      "old text, as it was before: its host does not have it",
      "text recognised in images",
    ]);
    await page.goto(PAGES.files);
    assert.equal(await page.locator(".hit").count(), 1);
    assert.match(await page.locator(".chosen a").textContent(), /Extension: pdf/);
    await page.locator(".chosen a").click();
    assert.equal(page.url(), `${origin}/search?kind=file`);
    await close();
  },

  async "links to Notion tell it nothing"() {
    const { page, close } = await open();
    await page.goto(PAGES.results);
    for (const link of await page.locator(".hit .title a").all()) {
      assert.match(await link.getAttribute("href"), /^https?:/);
      assert.equal(await link.getAttribute("rel"), "noreferrer");
    }
    await close();
  },

  async "the first administrator comes in by the link, goes out, and signs in again"() {
    const { page, close } = await open();
    const password = "a long enough password";
    await page.goto(welcome);
    assert.equal(new URL(page.url()).hash, "", "what opens the door leaves the address");
    assert.equal(await page.locator("#code").inputValue(), new URL(welcome).hash.slice(1));
    await page.fill("#user_name", "ana");
    await page.fill("#password", password);
    await page.fill("#again", password);
    await page.getByRole("button", { name: "Go on" }).click();
    await page.waitForURL(`${guarded}/`);
    assert.match(await page.locator(".who summary").textContent(), /Signed in as\s*ana/);
    const cookie = (await page.context().cookies()).find((one) => one.value.startsWith("ncs_"));
    assert.ok(cookie.httpOnly && cookie.sameSite === "Lax", JSON.stringify(cookie));
    assert.equal(await page.evaluate(() => document.cookie), "");
    await page.locator(".who summary").click();
    assert.deepEqual(await violations(page), []);
    await page.screenshot({ path: path.join(pictures, "signed-in.png"), fullPage: true });
    await page.goto(`${guarded}/account`);
    assert.deepEqual(await violations(page), []);
    await page.goto(`${guarded}/`);
    await page.locator(".who summary").click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL(`${guarded}/sign-in`);
    await page.goto(`${guarded}/search?q=a`);
    assert.equal(page.url(), `${guarded}/sign-in?to=%2Fsearch%3Fq%3Da`);
    await page.fill("#user_name", "ana");
    await page.fill("#password", "something else");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    assert.deepEqual(await violations(page), []);
    assert.equal(await page.locator("#user_name").inputValue(), "ana");
    await page.fill("#password", password);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${guarded}/search?q=a`);
    await close();
  },

  async "forced colours and calm motion are respected"() {
    const { page, close } = await open({ forcedColors: "active", reducedMotion: "reduce" });
    await page.goto(PAGES.results);
    assert.deepEqual(await violations(page), []);
    await page.screenshot({ path: path.join(pictures, "results-forced-colors.png"), fullPage: true });
    await close();
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack ?? error}`);
  }
}
await browser.close();
console.log(`${failed} of ${Object.keys(checks).length} checks failed; pictures are in ${pictures}`);
process.exit(failed === 0 ? 0 : 1);
