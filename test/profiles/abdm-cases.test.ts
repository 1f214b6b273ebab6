/** Resources of ABDM's profiles: the sound ones pass, and each broken rule is named with its place. */
import { afterAll, describe, expect, it } from 'vitest'
import { validate } from '../../src/validation/validate.ts'
import { testContext } from '../interactions/context.ts'
import { cases } from './cases.ts'

const ctx = await testContext()
afterAll(() => ctx.storage.close())

describe('rules of the profiles of ABDM', () => {
  it('are some hundred, of every kind', () => {
    const rules = new Set(cases.flatMap(({ wrong }) => wrong.map(({ rule }) => rule)))
    expect(cases.flatMap(({ wrong }) => wrong).length).toBeGreaterThan(700)
    expect([...rules].sort()).toEqual([
      'binding-extensible',
      'cardinality-max',
      'cardinality-min',
      'fixed',
      'reference-target',
      'slice-closed',
      'slice-max',
      'slice-order',
      'type',
    ])
  })
})

describe.each(cases)('$id', ({ profile, valid, wrong }) => {
  it.each(valid)('%s has no error', async (_, resource) => {
    const issues = await validate(ctx, resource, { type: resource.resourceType, profiles: [profile] })
    expect(issues.filter(one => one.severity === 'error')).toEqual([])
  })

  it.each(wrong)('$rule at $at: $patch', async ({ rule, severity, at, resource }) => {
    const issues = await validate(ctx, resource, { type: resource.resourceType, profiles: [profile] })
    const found = issues.map(one =>
      [one.severity, one.rule, one.expression?.replace(/\[\d+\]$/, '')].join(' '),
    )
    expect(found).toContain([severity, rule, at.replace(/\[\d+\]$/, '')].join(' '))
  })
})
