// Opens pages as a person does: goes there, clicks, waits for a text, and tells what is to be seen.
// Reads [{url, clicks: [text or selector], wait, shot}] and writes
// [{text, pictures: [width], plots: [width]}].
// Usage: node look.mjs FOLDER_OF_PLAYWRIGHT CHROMIUM < pages.json
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [folder, executablePath] = process.argv.slice(2);
const { chromium } = createRequire(join(folder, "package.json"))("playwright-core");
const WITHIN_MS = 60000;
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

async function look(browser, { url, clicks, wait, shot, tall }) {
  const page = await browser.newPage({ viewport: { width: 1400, height: tall ?? 1000 } });
  page.setDefaultTimeout(WITHIN_MS);
  page.setDefaultNavigationTimeout(WITHIN_MS);
  // Reports ask the internet for fonts and more; they have to do without.
  await page.route((asked) => asked.hostname !== "127.0.0.1", (route) => route.abort());
  await page.goto(url);
  for (const target of clicks) await page.locator(target).first().click();
  await page.locator(wait).first().waitFor();
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  await page.screenshot({ path: shot, animations: "disabled" });
  // A description is shown in a tree of its own, which the text of the page does not hold.
  const texts = page.frames().map((frame) =>
    frame.evaluate(() => {
      const roots = [...document.querySelectorAll("*")].map((e) => e.shadowRoot).filter(Boolean);
      return [document.body.innerText, ...roots.map((root) => root.textContent)].join("\n");
    }),
  );
  const text = (await Promise.all(texts)).join("\n");
  const pictures = await page.evaluate(() => [...document.images].map((i) => i.naturalWidth));
  const plots = await page.evaluate(() =>
    [...document.querySelectorAll('svg[role="img"]')].map((e) => e.getBoundingClientRect().width),
  );
  await page.close();
  return { text, pictures, plots };
}

const browser = await chromium.launch({ executablePath, args: QUIET });
try {
  const pages = JSON.parse(readFileSync(0, "utf-8"));
  const seen = [];
  // One by one: a page in the background is not drawn.
  for (const page of pages) seen.push(await look(browser, page));
  process.stdout.write(JSON.stringify(seen));
} finally {
  await browser.close();
}
