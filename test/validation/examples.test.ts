/**
 * Every resource that HL7 publishes as an example of R4 holds against R4's invariants, bindings, extensions and the profiles that it claims;
 * those that do not are listed with the reason. What their structure breaks is listed elsewhere (r4-examples-refused.json).
 * https://hl7.org/fhir/R4/downloads.html
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { parseJson, type Resource } from '../../src/fhir/json.ts'
import { validateStructure } from '../../src/fhir/validate/structure.ts'
import { validate } from '../../src/validation/validate.ts'
import invalid from '../cases/validate/r4-examples-invalid.json' with { type: 'json' }
import { testContext } from '../interactions/context.ts'

const FOLDER = dirname(createRequire(import.meta.url).resolve('hl7.fhir.r4.examples/package.json'))
const FILES = readdirSync(FOLDER).filter(file => /^[A-Za-z].*\.json$/.test(file) && file !== 'package.json')

it('the examples of R4 have no errors but those listed', { timeout: 240_000 }, async () => {
  const ctx = await testContext({ limits: { searchMs: 60_000 } })
  const found: { file: string; faults: string[] }[] = []
  const unjudged: string[] = []
  for (const file of FILES) {
    const resource = parseJson(readFileSync(join(FOLDER, file), 'utf8')) as Resource
    const type = resource.resourceType
    const structural = validateStructure(resource, type).length
    const issues = (await validate(ctx, resource, { type })).slice(structural)
    const faults = issues
      .filter(({ severity }) => severity === 'error')
      .map(({ rule, expression }) => `${rule} ${expression}`)
    if (faults.length > 0) found.push({ file, faults })
    for (const { rule, diagnostics } of issues)
      if (rule === 'invariant-unjudged') unjudged.push(`${file}: ${diagnostics}`)
  }
  await ctx.storage.close()
  expect(found).toEqual(invalid.map(({ file, faults }) => ({ file, faults })))
  // Every invariant of R4 can be worked out.
  expect(unjudged).toEqual([])
})

it('each of them has its reason', () => {
  for (const { file, reason } of invalid) expect(reason.length, file).toBeGreaterThan(20)
})
