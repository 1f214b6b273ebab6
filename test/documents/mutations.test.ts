/** Documents as they are finished have no error; each broken one has an issue that names the rule and the place. */
import { afterAll, describe, expect, it } from 'vitest'
import type { Issue } from '../../src/fhir/error.ts'
import { validate } from '../../src/validation/validate.ts'
import { testContext } from '../interactions/context.ts'
import { documents, mutations, read } from './mutations.ts'

const ctx = await testContext()
afterAll(() => ctx.storage.close())

/**
 * An invariant and the binding of a CodeableConcept belong to an element and may be told of the part of it that breaks them: att-1 of the
 * contentType that is missing.
 */
function placeOf({ rule = '', expression = '' }: Issue, at: string): string {
  const within = /^[a-z]+-\d+$|^binding-required$/.test(rule) && expression.startsWith(`${at}.`)
  return within ? at : expression
}

describe('finished documents', () => {
  it.each([...documents.keys()])('%s has no error', async name => {
    const issues = await validate(ctx, read(name), { type: 'Bundle' })
    expect(issues.filter(({ severity }) => severity === 'error')).toEqual([])
  })
})

describe('broken documents', () => {
  it('are some hundred, of every document', () => {
    expect(mutations.length).toBeGreaterThan(450)
    expect(new Set(mutations.map(({ document }) => document))).toEqual(new Set(documents.keys()))
    expect(new Set(mutations.map(({ label }) => label)).size).toBe(mutations.length)
  })

  it.each(mutations)('$label', async ({ bundle, severity, rule, at }) => {
    const issues = await validate(ctx, bundle, { type: 'Bundle' })
    const found = issues.map(one => `${one.severity} ${one.rule} ${placeOf(one, at)}`)
    expect(found).toContain(`${severity} ${rule} ${at}`)
  })
})
