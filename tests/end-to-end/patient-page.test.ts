import { existsSync, readFileSync } from 'node:fs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConsole } from '../../console/build.ts';
import { patientPage } from '../../console/pages.ts';
import { World } from '../../coordinator/testing/world.ts';
import { patientStatement, signConsent } from '../../protocol/consent.ts';
import { Identity } from '../../protocol/identity.ts';
import { makeFolder, removeFolder } from './world.ts';

const CHROMIUM = process.env['HEALTHCHAIN_CHROMIUM'] ?? '/usr/bin/chromium';
const found = existsSync(CHROMIUM);
if (!found) console.log(`skipped: no browser at ${CHROMIUM} (HEALTHCHAIN_CHROMIUM) to try the patient’s page in`);

describe.skipIf(!found)('the patient’s page, in a browser', { timeout: 240_000 }, () => {
  const folder = makeFolder('page');
  const complaints: string[] = [];
  let world: World;
  let url: string;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    await buildConsole();
    world = await World.found();
    url = await world.start({ pages: patientPage() });
    mkdirSync(folder, { recursive: true });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'], timeout: 120_000 });
    page = await browser.newPage({ acceptDownloads: true });
    page.setDefaultTimeout(60_000);
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${url}/patient`);
  }, 240_000);
  afterAll(async () => {
    await browser.close();
    await world.close();
    removeFolder(folder);
  });

  async function saved(button: string): Promise<string> {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: button }).click(),
    ]);
    const file = join(folder, download.suggestedFilename());
    await download.saveAs(file);
    return file;
  }
  const notice = (): Promise<string | null> => page.locator('#notice').textContent();
  const publicKey = (): Promise<string | null> => page.locator('#public-key').textContent();

  it('makes a key, keeps it encrypted, and opens it again', async () => {
    await page.getByRole('button', { name: 'Make a new key' }).click();
    await expect.poll(publicKey, { timeout: 60_000 }).toMatch(/^[0-9a-f]{64}$/);
    const made = await publicKey();
    await page.getByLabel('Passphrase').fill('rain on a tin roof');
    const file = await saved('Save the key to a file');
    expect(readFileSync(file, 'utf8')).toContain(made);
    await page.reload();
    await page.getByLabel('A key file that you have').setInputFiles(file);
    await page.getByLabel('Passphrase').fill('rain on a tin rooof');
    await page.getByRole('button', { name: 'Open this key file' }).click();
    await expect.poll(notice, { timeout: 60_000 }).toMatch(/passphrase is wrong/);
    await page.getByLabel('Passphrase').fill('rain on a tin roof');
    await page.getByRole('button', { name: 'Open this key file' }).click();
    await expect.poll(notice, { timeout: 60_000 }).toMatch(/is open/);
    expect(await publicKey()).toBe(made);
  });

  it('shows in words what is signed, and the ledger takes it', async () => {
    await page.getByLabel('HMB').check();
    await page.getByLabel('north', { exact: true }).check();
    await page.locator('#consent-form').getByRole('button').click();
    const words = page.locator('#words');
    await expect.poll(() => words.textContent()).toMatch(/^I allow .* the purpose HMB, at the hospital north/);
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await expect.poll(notice, { timeout: 60_000 }).toMatch(/Recorded on the ledger/);
    await world.ledger.refresh();
    const patient = (await publicKey())!;
    expect(world.ledger.patient(patient)?.consents).toMatchObject([
      { decision: 'grant', dataset: '*', purposes: ['HMB'], hospitals: ['north'] },
    ]);
    await expect.poll(() => page.locator('#said li').count()).toBe(1);
    expect(await page.locator('#said').textContent()).toContain('HMB');
  });

  it('signs what the command line signs, offline, and lets a doctor in by the keyboard alone', async () => {
    const identity = Identity.generate();
    const pem = join(folder, 'patient.pem');
    writeFileSync(pem, identity.toPem());
    await page.getByLabel('A key file that you have').setInputFiles(pem);
    await page.getByRole('button', { name: 'Open this key file' }).click();
    await expect.poll(publicKey, { timeout: 60_000 }).toBe(identity.publicKey);
    await page.getByLabel('Withdraw').check();
    await page.locator('#consent-form').getByRole('button').click();
    await page.context().setOffline(true);
    const kept = patientStatement.parse(JSON.parse(readFileSync(await saved('Sign and save to a file'), 'utf8')));
    await page.context().setOffline(false);
    if (kept.kind !== 'consent') throw new Error('another kind was signed');
    expect(kept).toEqual({ kind: 'consent', ...signConsent(identity, kept.statement) });
    expect(await page.locator('#canonical').textContent()).toContain(`"patient":"${identity.publicKey}"`);

    await page.getByLabel('The doctor’s public key').focus();
    await page.keyboard.type('d'.repeat(64));
    await page.keyboard.press('Tab');
    await page.keyboard.type('north');
    await page.getByLabel('Last day').fill('2027-01-31');
    await page.keyboard.press('Enter');
    await expect
      .poll(() => page.locator('#words').textContent())
      .toMatch(/doctor .* at north, up to and with 2027-01-31/);
    await page.getByRole('button', { name: 'Sign and send' }).press('Enter');
    await expect.poll(notice, { timeout: 60_000 }).toMatch(/Recorded/);
    await world.ledger.refresh();
    expect(world.ledger.patient(identity.publicKey)?.accesses).toMatchObject([
      { decision: 'grant', hospital: 'north' },
    ]);
  });

  it('has a name for every field, and breaks none of its own rules', async () => {
    const unnamed = await page.evaluate(
      "[...document.querySelectorAll('input,select,button')].filter((each) => !each.labels?.length && !each.textContent.trim()).map((each) => each.id)",
    );
    expect(unnamed).toEqual([]);
    // The browser itself reports an answer that is an error: the key that nobody knows yet.
    expect(complaints.filter((each) => !/Failed to load resource/.test(each))).toEqual([]);
  });
});
