/** The pages of the console over HTTP: what they show and to whom, and what a browser may do with them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import type { Principal } from '../../src/context.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import type { TestContext } from '../interactions/context.ts'
import { clinicOfSixty, HOSTILE, LONG } from './sixty.ts'

let ctx: TestContext
beforeAll(async () => {
  ctx = await clinicOfSixty()
})
afterAll(() => ctx?.storage.close())

const get = async (path: string, principal?: Principal | 'nobody') => {
  const deps = { ctx, metrics: createMetrics('0.0.0'), urlLimit: 8192 }
  const app = createApp(
    principal === undefined
      ? deps
      : { ...deps, principalOf: () => (principal === 'nobody' ? undefined : principal) },
  )
  const answer = await app.request(`http://127.0.0.1:8080${path}`, { headers: { host: '127.0.0.1:8080' } })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}
const rows = (text: string) => [...text.matchAll(/<tr class="(\w+)"><td class="time">/g)].map(([, is]) => is)

describe('the day of a practitioner', () => {
  it('shows who is here first, in the order of their turn, then who is to come, then who is through', async () => {
    const { status, text } = await get('/console/day/anjali')
    expect(status).toBe(200)
    expect(rows(text)).toEqual([
      'serving',
      'called',
      ...Array(14).fill('waiting'),
      'skipped',
      ...Array(28).fill('booked'),
      ...Array(14).fill('done'),
      ...Array(2).fill('missed'),
      'cancelled',
    ])
    for (const sum of ['<b>61</b> in all', '<b>16</b> waiting', '<b>14</b> done', '<b>28</b> to come'])
      expect(text).toContain(sum)
    expect(text).toContain('Running late by about 20 minutes.')
    expect(text).toContain('<span class="new">11:22 AM</span> <s>11:02 AM</s>')
    expect(text).toMatch(/Walk-in<\/td><td class="token">GC-51/)
    expect(text).toContain(LONG)
  })

  it('holds names that are markup as text', async () => {
    const { text } = await get('/console/day/anjali')
    expect(text).not.toContain(HOSTILE)
    expect(text).toContain('&lt;img src=x onerror=alert(1)&gt;')
  })

  it('of another day is empty, and links to the days beside it', async () => {
    const { text } = await get('/console/day/anjali?day=2026-11-23')
    expect(rows(text)).toEqual([])
    expect(text).toContain('Nobody is booked on this day.')
    for (const day of ['2026-11-22', '2026-11-24', '2026-11-21']) expect(text).toContain(`?day=${day}`)
  })

  it.each([
    ['/console/day/none', 404],
    ['/console/day/anjali?day=2026-02-30', 400],
    ['/console/day/anjali?day=%3Cscript%3E', 400],
    ['/console/queue/Patient/p1', 404],
    ['/console/queue/Location/none', 404],
  ])('%s is a page that says why not: %i', async (path, status) => {
    const answer = await get(path)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8'])
    expect(answer.text).toContain('This page cannot be shown')
    expect(answer.text).not.toContain('<script>')
  })
})

describe('the display of a queue', () => {
  it('shows tokens and no name, no id and no other word of a patient', async () => {
    const { text } = await get('/console/queue/Practitioner/anjali')
    const list = (kind: string) =>
      [
        ...(new RegExp(`<ol class="${kind}">(.*?)</ol>`, 's').exec(text)?.[1] ?? '').matchAll(
          />([A-Z]+-\d+)</g,
        ),
      ].map(([, token]) => token)
    expect([list('in'), list('with'), list('next').slice(0, 3)]).toEqual([
      ['GC-18'],
      ['GC-17'],
      ['GC-20', 'GC-21', 'GC-22'],
    ])
    // 12 who are here, 18 who are to come with a token, and 2 walk-ins; 15 are shown.
    expect(list('next')).toHaveLength(15)
    expect(text).toContain('and 17 more')
    expect(text).toContain('please ask at the desk: GC-19')
    expect(text).not.toMatch(/Nair|Kurian|Pillai|Varghese|Devika|Patient|p1[0-9]|Task/)
  })

  it('of a category shows no other', async () => {
    expect((await get('/console/queue/Practitioner/anjali?category=Other')).text).toContain(
      'Nobody is waiting.',
    )
  })
})

describe('every page', () => {
  it('runs our own script and style alone, is kept nowhere and framed by nobody', async () => {
    for (const path of [
      '/console',
      '/console/day/anjali',
      '/console/queue/Practitioner/anjali',
      '/console/day/x',
    ]) {
      const { headers, text } = await get(path)
      const policy = headers.get('content-security-policy')
      for (const part of [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
      ])
        expect(policy).toContain(part)
      expect(policy).not.toContain('unsafe')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(text).not.toMatch(/<[^>]* (style|on[a-z]+)=|<style/)
    }
  })

  it('is for the staff where there is a sign-in', async () => {
    const day = '/console/day/anjali'
    expect((await get(day, 'nobody')).status).toBe(401)
    expect((await get(day, { id: 'p', role: 'patient' })).status).toBe(403)
    expect((await get(day, { id: 'd', role: 'provider' })).status).toBe(200)
    const grants = { read: new Set(['Practitioner', 'Appointment']), write: new Set<string>() }
    const limited = await get(day, { id: 'l', role: 'provider', grants })
    expect([limited.status, limited.text.includes('Nair')]).toEqual([403, false])
  })
})
