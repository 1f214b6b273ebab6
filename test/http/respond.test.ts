/** Answers that are no FHIR JSON: what a browser may do with them. */
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import type { C } from '../../src/http/exchange.ts'
import { sendAs } from '../../src/http/respond.ts'

const answer = (type: string): Response | Promise<Response> => {
  const app = new Hono<{ Variables: { exchange: { id: string } } }>()
  app.get('/', c => {
    c.set('exchange', { id: 'r1' })
    return sendAs(c as unknown as C, 200, 'body', { 'Content-Type': type })
  })
  return app.request('/')
}

describe('an answer of another media type', () => {
  it('that is a page runs no script and loads nothing', async () => {
    const { headers } = await answer('text/html; charset=utf-8')
    expect(headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none';/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  // https://issues.chromium.org/issues/41131921: the PDF viewers of Chrome and Safari do not start in a sandbox.
  it('that is a PDF is shown by browsers, which show none in a sandbox', async () => {
    const { headers } = await answer('application/pdf')
    expect(headers.get('content-security-policy')).toBeNull()
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-type')).toBe('application/pdf')
  })
})
