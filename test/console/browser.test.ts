/** The pages of the console in a real browser: they keep themselves new, outlive the server's absence, fit a phone and a sheet. */
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { step } from '../../src/scheduling/token-steps.ts'
import type { TestContext } from '../interactions/context.ts'
import { clinicOfSixty, type Served, served } from './sixty.ts'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const here = existsSync(CHROMIUM)
const why = here ? '' : ` (skipped: there is no ${CHROMIUM}; CHROMIUM names another)`

describe.skipIf(!here && process.env.CI === undefined)(`a browser${why}`, () => {
  let ctx: TestContext
  let server: Served
  let browser: Browser
  let faults: string[]
  const DAY = '/console/day/anjali'
  const DISPLAY = '/console/queue/Practitioner/anjali'

  beforeAll(async () => {
    ctx = await clinicOfSixty()
    server = await served(ctx)
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
    await ctx?.storage.close()
  })
  afterEach(async () => {
    for (const one of browser?.contexts() ?? []) await one.close()
  })

  /** Opens a page whose timers the test holds; what its console and its policy complain of is collected. */
  async function open(path: string, width = 1280, height = 800): Promise<Page> {
    faults = []
    const context = await browser.newContext({ viewport: { width, height } })
    const page = await context.newPage()
    await page.clock.install()
    page.on('console', message => faults.push(message.text()))
    page.on('pageerror', error => faults.push(String(error)))
    page.on('dialog', dialog => {
      faults.push(dialog.message())
      void dialog.dismiss()
    })
    await page.goto(server.base + path)
    return page
  }
  const text = (page: Page, selector: string) => page.locator(selector).allInnerTexts()

  it('shows what has changed without being asked', async () => {
    const page = await open(DISPLAY)
    expect(await text(page, '.in li')).toEqual(['GC-18'])
    await step(ctx, 't17', 'complete')
    await step(ctx, 't18', 'serve')
    await step(ctx, 't20', 'call')
    await page.clock.runFor(5000)
    await expect.poll(() => text(page, '.in li')).toEqual(['GC-20'])
    expect(await text(page, '.with li')).toEqual(['GC-18'])
    expect(faults).toEqual([])
  })

  it('keeps the list and says how old it is while the server is away, and goes on when it is back', async () => {
    const page = await open(DAY)
    const port = Number(new URL(server.base).port)
    const before = await page.locator('tbody tr').count()
    expect(await page.locator('#stale').isVisible()).toBe(false)
    await server.stop()
    await page.clock.runFor(15_000)
    await expect.poll(() => page.locator('#stale').isVisible()).toBe(true)
    expect((await text(page, '#stale'))[0]).toMatch(/^No connection\. What you see is of \d+:\d\d\s[AP]M\.$/)
    expect(await page.locator('tbody tr').count()).toBe(before)
    server = await served(ctx, port)
    await step(ctx, 't21', 'call')
    await page.clock.runFor(15_000)
    await expect.poll(() => page.locator('#stale').isVisible()).toBe(false)
    expect(await page.locator('tr.called', { hasText: 'GC-21' }).count()).toBe(1)
  })

  it('fits the smallest phone: nothing is cut off at the side, and a name that is markup is a name', async () => {
    const width = 320
    const page = await open(DAY, width, 568)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    const row = page.locator('tr.booked').first()
    for (const cell of ['.time', '.name', '.token', '.is']) {
      const box = await row.locator(cell).boundingBox()
      expect(box!.width).toBeGreaterThan(20)
      expect(box!.x + box!.width).toBeLessThanOrEqual(width)
    }
    expect(await text(page, 'tr.booked .name')).toContain('<img src=x onerror=alert(1)>')
    expect(await page.locator('main img').count()).toBe(0)
    await page.goto(server.base + DISPLAY)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    expect(faults).toEqual([])
  })

  it('fits screens on the wall whole, with sixty patients, and can be read from afar', async () => {
    const page = await open(DISPLAY)
    for (const [width, height] of [
      [1920, 1080],
      [1024, 768],
    ] as const) {
      await page.setViewportSize({ width, height })
      expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThanOrEqual(height)
      const called = page.locator('.in li').first()
      const size = await called.evaluate(one => Number.parseFloat(getComputedStyle(one).fontSize))
      expect(size).toBeGreaterThan(width / 14)
    }
  })

  it('prints a day of sixty on two sheets of A4, without what is to be clicked', async () => {
    const page = await open(DAY)
    await page.emulateMedia({ media: 'print' })
    expect(await page.locator('nav').isVisible()).toBe(false)
    await page.emulateMedia({ media: null })
    const pdf = (await page.pdf({ format: 'A4', preferCSSPageSize: true })).toString('latin1')
    expect(pdf.match(/\/Type\s*\/Page\b/g)).toHaveLength(2)
  })
})
