/** Documents as they are finished have no error; each broken one has an issue that names the rule and the place. */
import { afterAll, describe, expect, it } from 'vitest'
import { validate } from '../../src/validation/validate.ts'
import { testContext } from '../interactions/context.ts'
import { documents, mutations, read } from './mutations.ts'

const ctx = await testContext()
afterAll(() => ctx.storage.close())

describe('finished documents', () => {
  it.each([...documents.keys()])('%s has no error', async name => {
    const issues = await validate(ctx, read(name), { type: 'Bundle' })
    expect(issues.filter(({ severity }) => severity === 'error')).toEqual([])
  })
})

describe('broken documents', () => {
  it('are some hundred, of every document', () => {
    expect(mutations.length).toBeGreaterThan(400)
    expect(new Set(mutations.map(({ document }) => document))).toEqual(new Set(documents.keys()))
    expect(new Set(mutations.map(({ label }) => label)).size).toBe(mutations.length)
  })

  it.each(mutations)('$label', async ({ bundle, severity, rule, at }) => {
    const issues = await validate(ctx, bundle, { type: 'Bundle' })
    const found = issues.map(one => `${one.severity} ${one.rule} ${one.expression}`)
    expect(found).toContain(`${severity} ${rule} ${at}`)
  })
})
